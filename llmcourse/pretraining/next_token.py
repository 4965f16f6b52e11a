"""What a trainer minimises: the next token's cross-entropy, in the precision that it computes with."""

import contextlib
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.objective import cross_entropy, z_loss

__all__ = ["NextToken"]

_DTYPES = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class NextToken:
    r"""The mean loss of a micro-batch's kept labels; a :class:`llmcourse.pretraining.LossFunction`.

    Weights stay in fp32, the master weights; matrix products compute in ``precision`` (Micikevicius et al. 2017,
    arXiv:1710.03740), norms, the softmax and the loss in fp32.

    Args:
        precision: "fp32", "bf16" or "fp16".
        z_weight: The weight of the z-loss; 0 leaves it out, and then the logits of a whole batch never exist at once.

    Raises:
        ValueError: There is no such precision, or the weight is negative; quotes it.

    Example:
        >>> from llmcourse.architecture import ModelConfig, Transformer
        >>> model = Transformer(ModelConfig(vocab_size=8, d_model=16, n_layers=1, n_heads=2))
        >>> tokens = torch.arange(8).reshape(2, 4)
        >>> NextToken(precision="bf16")(model, MicroBatch(tokens, tokens)).dtype
        torch.float32
    """

    def __init__(self, *, precision: str = "fp32", z_weight: float = 0.0) -> None:
        if precision not in _DTYPES:
            raise ValueError(f"precision is {precision!r}: choose one of {', '.join(map(repr, _DTYPES))}")
        if not z_weight >= 0:
            raise ValueError(f"z_weight is {z_weight}: it is at least 0")
        self.precision, self.z_weight = precision, z_weight

    def __call__(self, model: nn.Module, batch: MicroBatch) -> Float[Tensor, ""]:
        """Return the mean loss, in nats a kept label."""
        with self.autocast(batch.inputs.device):
            loss_of: Callable[..., Tensor] | None = None if self.z_weight else getattr(model, "loss", None)
            if loss_of is not None:
                return loss_of(batch.inputs, batch.labels, batch.mask, document_ids=batch.document_ids)
            options = {} if batch.document_ids is None else {"document_ids": batch.document_ids}
            return self.of_logits(model(batch.inputs, **options), batch)

    def of_logits(self, logits: Float[Tensor, "B T V"], batch: MicroBatch) -> Float[Tensor, ""]:
        """Return the same from logits."""
        loss = cross_entropy(logits, batch.labels, batch.mask)
        return loss + z_loss(logits, batch.mask, weight=self.z_weight) if self.z_weight else loss

    def autocast(self, device: torch.device) -> contextlib.AbstractContextManager:
        """Return the context in which a model, or a stage of one, computes."""
        dtype = _DTYPES[self.precision]
        return contextlib.nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)
