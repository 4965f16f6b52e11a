"""The loss of pre-training: cross-entropy of the next token, over the labels that count."""

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["cross_entropy"]


def cross_entropy(
    logits: Float[Tensor, "*B vocab_size"], labels: Int[Tensor, "*B"], mask: Bool[Tensor, "*B"] | None = None
) -> Float[Tensor, ""]:
    r"""Return the mean negative log-likelihood of the labels that are kept, in nats a token.

    A batch whose labels are all masked has a loss of 0, and gradients of 0: a mean over nothing would be NaN, which
    one step of the optimizer would spread over all weights.

    Args:
        logits: Scores before the softmax; computed with in fp32 whatever their dtype.
        labels: The token that came next, already shifted by one.
        mask: True where a label counts; all do by default. What stands in ``logits`` and ``labels`` elsewhere is never
            looked at, -100 and NaN included.

    Returns:
        A scalar in fp32.

    Raises:
        ValueError: Shapes do not fit together, or the mask is not boolean; quotes them.

    Example:
        >>> import torch
        >>> logits = torch.zeros(1, 3, 8)
        >>> labels = torch.tensor([[0, 5, -100]])
        >>> round(float(cross_entropy(logits, labels, labels >= 0)), 4)  # ln 8
        2.0794
        >>> float(cross_entropy(logits, labels, torch.zeros(1, 3, dtype=torch.bool)))
        0.0
    """
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            f"logits are {tuple(logits.shape)} and labels {tuple(labels.shape)}: logits have one axis more, the last"
        )
    if mask is None:
        logits, labels = logits.flatten(0, -2), labels.flatten()
    else:
        if mask.shape != labels.shape or mask.is_floating_point():
            raise ValueError(f"mask is {tuple(mask.shape)} of {mask.dtype}: give booleans of {tuple(labels.shape)}")
        logits, labels = logits[mask.bool()], labels[mask.bool()]
    total = F.cross_entropy(logits.float(), labels.long(), reduction="sum", ignore_index=logits.shape[-1])
    return total / max(labels.numel(), 1)
