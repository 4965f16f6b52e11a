"""Supervised fine-tuning: the model learns what the assistant says, and not what it is told."""

import torch
from torch import nn

from llmcourse.alignment.training_step import StepReport, take_step
from llmcourse.architecture import Transformer
from llmcourse.pretraining import MicroBatch, cross_entropy

__all__ = ["sft_step"]


def sft_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: MicroBatch, *, max_norm: float = 1.0
) -> StepReport:
    r"""Make one step on the answers of a batch of conversations.

    Ouyang et al. 2022 (arXiv:2203.02155), step 1: the pre-training loss, on answers that people wrote.

    Args:
        model: Gives logits for tokens; a :class:`llmcourse.architecture.Transformer` never holds all of them.
        optimizer: Of its parameters, or of its adapters'.
        batch: From :func:`pad_conversations` or :func:`pack_conversations`; its mask is True at the answers.
        max_norm: The greatest norm of the gradients.

    Returns:
        The mean loss of a token that counts, before the step, and how many there were as ``n_tokens``. A batch in which
        none counts has a loss of 0 and changes nothing by its gradients.

    Raises:
        ValueError: Shapes do not fit, or the gradient is not finite.

    Example:
        >>> from llmcourse.alignment import pad_conversations
        >>> model = nn.Embedding(4, 4)
        >>> batch = pad_conversations([([0, 1, 2, 3], [False, False, True, True])])
        >>> sft_step(model, torch.optim.SGD(model.parameters(), lr=0.1), batch).metrics
        {'n_tokens': 2.0}
    """
    inputs, labels, mask, document_ids = batch
    if isinstance(model, Transformer):
        loss = model.loss(inputs, labels, mask, document_ids=document_ids)
    else:
        packed = {} if document_ids is None else {"document_ids": document_ids}
        loss = cross_entropy(model(inputs, **packed), labels, mask)
    return take_step(model, optimizer, loss, max_norm=max_norm, n_tokens=float(batch.n_kept))
