"""How likely a model finds an answer: the logarithm of a sequence's probability, and of each token's."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.alignment.operands import kept_mask

__all__ = ["sequence_log_probs", "token_log_probs"]

# No token has this id: F.cross_entropy leaves out labels of -100 in silence, where an error should be told.
_NO_LABEL = -(2**62)


def token_log_probs(
    logits: Float[Tensor, "B T V"], labels: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None
) -> Float[Tensor, "B T"]:
    r"""Return the log-probability of each label that counts, and 0 for the others.

    Args:
        logits: Scores before the softmax; computed with in fp32 at least, whatever their dtype.
        labels: The token that came next, already shifted by one: ``labels[b, t]`` belongs to ``logits[b, t]``.
        mask: True where a label counts; all do by default. What stands in ``logits`` and ``labels`` elsewhere is never
            looked at, -100 and NaN included.

    Returns:
        Nats, at most 0, in fp32 (in fp64 for logits in fp64).

    Raises:
        ValueError: Shapes do not fit together, or the mask is not boolean; quotes them.

    Cost: a softmax over the vocabulary for each label that counts, and none for the others: where the prompt is long,
        leaving it out is most of the saving.

    Example:
        >>> token_log_probs(torch.zeros(1, 2, 8), torch.tensor([[3, -100]]), torch.tensor([[True, False]]))
        tensor([[-2.0794,  0.0000]])
    """
    if logits.shape[:-1] != labels.shape or labels.ndim != 2:
        raise ValueError(
            f"logits are {tuple(logits.shape)} and labels {tuple(labels.shape)}: give (B, T, vocab_size) and (B, T)"
        )
    kept = kept_mask(mask, labels)
    scores, chosen = (logits.flatten(0, 1), labels.flatten()) if mask is None else (logits[kept], labels[kept])
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    found = -F.cross_entropy(wide, chosen.long(), reduction="none", ignore_index=_NO_LABEL)
    return found.new_zeros(labels.shape).masked_scatter(kept, found)


def sequence_log_probs(
    logits: Float[Tensor, "B T V"],
    labels: Int[Tensor, "B T"],
    mask: Bool[Tensor, "B T"] | None = None,
    *,
    average: bool = False,
) -> Float[Tensor, " B"]:
    r"""Return the log-probability of each sequence: the sum of its tokens', or their average.

    DPO (Rafailov et al. 2023, arXiv:2305.18290) wants the sum, which is the answer's log-probability; SimPO, ORPO and
    IPO want the average, which does not grow with the length. The end-of-sequence token is part of an answer, in the
    sum and in the length: a policy for which it does not count never learns when to stop.

    Args:
        logits: Scores before the softmax.
        labels: The token that came next, already shifted by one.
        mask: True at the answer's tokens, its end among them; False at the prompt's and at padding.
        average: Divide by the number of labels that count.

    Returns:
        Nats, in fp32 at least; 0 for a sequence of which nothing counts.

    Raises:
        ValueError: Shapes do not fit together, or the mask is not boolean; quotes them.

    Example:
        >>> logits, labels = torch.zeros(1, 3, 8), torch.tensor([[-100, 1, 2]])
        >>> sequence_log_probs(logits, labels, labels >= 0)  # 2 ln 1/8
        tensor([-4.1589])
        >>> sequence_log_probs(logits, labels, labels >= 0, average=True)
        tensor([-2.0794])
    """
    totals = token_log_probs(logits, labels, mask).sum(-1)
    if not average:
        return totals
    return totals / kept_mask(mask, labels).sum(-1).clamp(min=1)
