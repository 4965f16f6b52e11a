"""Gradient accumulation: a batch too large for the memory, taken in parts, with the gradients of the whole."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.micro_batch import MicroBatch

__all__ = ["accumulate_gradients"]


def accumulate_gradients(
    model: nn.Module,
    batches: Sequence[MicroBatch],
    loss_of: Callable[[nn.Module, MicroBatch], Tensor],
    *,
    n_kept: float | None = None,
    scale: float = 1.0,
) -> Float[Tensor, ""]:
    r"""Run forward and backward on each part; what adds up in ``.grad`` is the gradient of the whole batch's mean loss.

    The mean over a batch is the mean over its *tokens*. A mean of the parts' means would count a token more where few
    others of its part are kept, so each part weighs as many labels as it keeps.

    Args:
        model: Its gradients are added to: clear them first.
        batches: The parts.
        loss_of: The mean loss over a part's kept labels.
        n_kept: What to divide by in place of the parts' kept labels together: with other processes, theirs too.
        scale: Multiplies the loss before the backward pass, not in what is returned: a loss scaler's factor.

    Returns:
        The mean loss over all kept labels, without a graph; 0 where none is kept.

    Cost: the memory of one part's activations; the gradients are summed in their own dtype, so keep them in fp32.

    Example:
        >>> model = nn.Embedding(4, 4)
        >>> tokens = torch.arange(8).reshape(2, 4) % 4
        >>> def loss_of(model, batch):
        ...     return nn.functional.cross_entropy(model(batch.inputs).flatten(0, 1), batch.labels.flatten())
        >>> parts = list(MicroBatch(tokens, tokens).split(2))
        >>> bool(accumulate_gradients(model, parts, loss_of) > 0), model.weight.grad.shape
        (True, torch.Size([4, 4]))
    """
    counts = [batch.n_kept for batch in batches]
    whole = max(sum(counts) if n_kept is None else n_kept, 1)
    total: Tensor | None = None
    for batch, count in zip(batches, counts, strict=True):
        loss = loss_of(model, batch) * (count / whole)
        (loss * scale if scale != 1.0 else loss).backward()
        total = loss.detach() if total is None else total + loss.detach()
    return torch.zeros(()) if total is None else total
