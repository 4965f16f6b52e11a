"""The output projection and its loss in one step, which never holds the logits of all tokens."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    hidden: Float[Tensor, "*batch D"],
    weight: Float[Tensor, "V D"],
    labels: Int[Tensor, "*batch"],
    mask: Bool[Tensor, "*batch"] | None = None,
    *,
    chunk_size: int = 256,
) -> Float[Tensor, ""]:
    r"""Return the mean negative log-likelihood of labels under the logits ``hidden @ weight.T``.

    The logits of a batch are by far its largest tensor: 4 B T V bytes, several times over with their gradient. Here
    they are made for some rows at a time, turned into a gradient on the spot, and dropped (Wijmans et al. 2024,
    arXiv:2411.09009, go further in a GPU's kernel; Liger Kernel, arXiv:2410.10989, does as here).

    Args:
        hidden: One vector for each token.
        weight: The output projection.
        labels: The token that follows; any number where the mask is False.
        mask: True where a label counts; None counts all.
        chunk_size: Rows at a time.

    Returns:
        The mean over what counts, in nats per token and in fp32; 0 with zero gradients where nothing counts.

    Raises:
        ValueError: Shapes do not fit, or ``chunk_size`` is below 1.

    Cost: 2 D V FLOP per token forward and 4 D V backward, as in two steps; 4 V ``chunk_size`` bytes in place of
    several times 4 V B T. The gradients are made in the forward pass when they will be wanted.

    Example:
        >>> hidden, weight = torch.zeros(1, 3, 2), torch.zeros(8, 2)
        >>> linear_cross_entropy(hidden, weight, torch.tensor([[1, 2, 3]])).item() == torch.tensor(8.0).log().item()
        True
    """
    if weight.ndim != 2 or hidden.shape[-1] != weight.shape[1] or hidden.shape[:-1] != labels.shape:
        shapes = f"hidden {tuple(hidden.shape)}, weight {tuple(weight.shape)} and labels {tuple(labels.shape)}"
        raise ValueError(f"{shapes} do not fit: give (..., D), (V, D) and (...)")
    if mask is not None and (mask.shape != labels.shape or mask.dtype != torch.bool):
        raise ValueError(f"mask is {mask.dtype} {tuple(mask.shape)}: make it boolean, with one entry for each label")
    if chunk_size < 1:
        raise ValueError(f"chunk_size is {chunk_size}: take at least 1 row at a time")
    kept = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    loss: Tensor = _LinearCrossEntropy.apply(  # pyright: ignore[reportAssignmentType]
        hidden.flatten(0, -2), weight, labels.flatten().where(kept.flatten(), 0), kept.flatten(), chunk_size
    )
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    """Chunk by chunk: logits, loss, and at once the gradients, which the backward pass only scales."""

    @staticmethod
    def forward(ctx, hidden, weight, labels, kept, chunk_size: int):  # pyright: ignore[reportIncompatibleMethodOverride]
        wide = torch.promote_types(hidden.dtype, torch.float32)
        share = kept.to(wide) / kept.sum().clamp(min=1)
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        grad_hidden = torch.empty_like(hidden) if wants_hidden else None
        grad_weight = torch.zeros_like(weight, dtype=wide) if wants_weight else None
        loss = torch.zeros((), dtype=wide, device=hidden.device)
        for start in range(0, len(hidden), chunk_size):
            rows = slice(start, start + chunk_size)
            x, label, part = hidden[rows], labels[rows], share[rows]
            scores = (x @ weight.T).to(wide)
            loss += _to_gradient_(scores, label, part, wanted=wants_hidden or wants_weight)
            scores = scores.to(hidden.dtype)
            if grad_hidden is not None:
                torch.mm(scores, weight, out=grad_hidden[rows])
            if grad_weight is not None:
                grad_weight.addmm_(scores.T.to(wide), x.to(wide))
        ctx.save_for_backward(grad_hidden, None if grad_weight is None else grad_weight.to(weight.dtype))
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        grad_hidden, grad_weight = ctx.saved_tensors
        scaled = [None if g is None else g * grad.to(g.dtype) for g in (grad_hidden, grad_weight)]
        return *scaled, None, None, None


def _to_gradient_(scores: Tensor, label: Tensor, part: Tensor, *, wanted: bool) -> Tensor:
    """Return some rows' share of the loss; their logits' gradient, if wanted, takes the memory of the logits."""
    scores -= scores.amax(-1, keepdim=True)
    chosen = scores.gather(1, label[:, None]).squeeze(1)
    total = scores.exp_().sum(-1)
    if wanted:
        # d loss / d logits = (softmax - one-hot) * share.
        scores *= (part / total)[:, None]
        scores.scatter_add_(1, label[:, None], -part[:, None])
    return ((total.log() - chosen) * part).sum()
