"""The loss of pre-training: cross-entropy of the next token over the labels that count, z-loss, and bits per byte."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["bits_per_byte", "cross_entropy", "z_loss"]


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


def z_loss(
    logits: Float[Tensor, "*B vocab_size"], mask: Bool[Tensor, "*B"] | None = None, *, weight: float = 1e-4
) -> Float[Tensor, ""]:
    r"""Return what is added to the loss so that the softmax's normaliser stays near 1.

    Chowdhery et al. 2022 (PaLM, arXiv:2204.02311, section 5): ``weight * log(Z)**2``, Z the sum of exponentials. The
    softmax does not see a number added to all logits, so nothing else holds them; in bf16 large ones lose their digits.

    Args:
        logits: Scores before the softmax; computed with in fp32 whatever their dtype.
        mask: True where a position counts; all do by default.
        weight: PaLM's is 1e-4.

    Returns:
        The mean over the positions that count, 0 where there is none; a scalar in fp32.

    Raises:
        ValueError: The mask does not fit; quotes its shape.

    Example:
        >>> print(f"{z_loss(torch.zeros(1, 3, 8), weight=1.0).item():.4f}")  # (ln 8) ** 2
        4.3241
    """
    if mask is not None:
        if mask.shape != logits.shape[:-1] or mask.is_floating_point():
            wanted = tuple(logits.shape[:-1])
            raise ValueError(f"mask is {tuple(mask.shape)} of {mask.dtype}: give booleans of {wanted}")
        logits = logits[mask.bool()]
    log_z = torch.logsumexp(logits.float(), dim=-1)
    return weight * log_z.square().sum() / max(log_z.numel(), 1)


def bits_per_byte(nats: float, n_bytes: int) -> float:
    r"""Return how many bits a model needs for a byte of text: what compares models whose tokenizers differ.

    Count the bytes of the *text*, ``len(text.encode())``. Tokens of byte-level BPE need not be whole characters:
    decoded one by one, half a character becomes a replacement character of three bytes, and the sum is wrong.

    Args:
        nats: The sum, not the mean, of the negative log-likelihoods of all the text's tokens.
        n_bytes: How long the text is, in UTF-8.

    Returns:
        Bits. What gzip and xz write, times 8 and divided by ``n_bytes``, is on the same scale.

    Raises:
        ValueError: The text is empty.

    Example:
        >>> bits_per_byte(nats=10 * math.log(256), n_bytes=10)  # 10 bytes, each as likely as any other
        8.0
    """
    if n_bytes < 1:
        raise ValueError(f"n_bytes is {n_bytes}: there is no bit per byte of an empty text")
    return nats / math.log(2) / n_bytes
