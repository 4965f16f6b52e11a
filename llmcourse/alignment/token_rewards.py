"""The rewards that PPO sees: the score at the end of the answer, and at each token the price of moving away."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.kl import kl_penalty
from llmcourse.alignment.operands import kept_mask

__all__ = ["last_kept", "token_rewards"]


@torch.no_grad()
def token_rewards(
    scores: Float[Tensor, " B"],
    log_probs: Float[Tensor, "B T"],
    reference_log_probs: Float[Tensor, "B T"],
    mask: Bool[Tensor, "B T"] | None = None,
    *,
    beta: float = 0.05,
) -> Float[Tensor, "B T"]:
    r"""Return minus beta times the log-ratio at each token, plus the score at the last one.

    Ziegler et al. 2019 (arXiv:1909.08593), equation 2: R = r - beta log(pi / ref). Summed over the answer it is the
    score less beta times an estimate of the KL. The KL stands here, in the reward, and then nowhere in the loss.

    Args:
        scores: The reward model's, one for each answer.
        log_probs: Of the answer's tokens under the policy that drew them.
        reference_log_probs: Of the same under the frozen reference.
        mask: True at the answer's tokens, its end among them. The score stands on the last of these, not on padding.
        beta: The price, in units of reward a nat.

    Returns:
        Rewards, 0 where the mask is False; without a graph.

    Raises:
        ValueError: Shapes do not fit; quotes them.

    Example:
        >>> policy, reference = torch.tensor([[-1.0, -1.0, 0.0]]), torch.tensor([[-2.0, -1.0, 0.0]])
        >>> token_rewards(torch.tensor([5.0]), policy, reference, torch.tensor([[True, True, False]]), beta=0.1)
        tensor([[-0.1000,  5.0000,  0.0000]])
    """
    kept = kept_mask(mask, log_probs)
    if scores.shape != log_probs.shape[:1]:
        raise ValueError(f"scores are {tuple(scores.shape)} and log_probs {tuple(log_probs.shape)}: one for each row")
    penalty = kl_penalty(log_probs, reference_log_probs, kept, estimator="k1")
    at_the_end = last_kept(kept) * scores[:, None].to(penalty.dtype)
    return at_the_end - beta * penalty


def last_kept(mask: Bool[Tensor, "B T"]) -> Bool[Tensor, "B T"]:
    r"""Return where the last True of each row stands; a row without one has none.

    Args:
        mask: True at the tokens that count.

    Returns:
        At most one True in a row.

    Example:
        >>> last_kept(torch.tensor([[False, True, True, False], [False, False, False, False]])).int()
        tensor([[0, 0, 1, 0],
                [0, 0, 0, 0]], dtype=torch.int32)
    """
    return mask & (mask.flip(-1).cumsum(-1).flip(-1) == 1)
