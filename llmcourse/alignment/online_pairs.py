"""Online preferences: pairs of the policy's own answers, compared as they are drawn."""

import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.alignment.answers import Answers
from llmcourse.alignment.preference_steps import AnswerPairs
from llmcourse.alignment.rollouts import Rollouts

__all__ = ["online_pairs"]


def online_pairs(rollouts: Rollouts, rewards: Float[Tensor, " B"], *, group_size: int) -> AnswerPairs | None:
    r"""Pair the best answer to each prompt with the worst.

    Guo et al. 2024 (arXiv:2402.04792): DPO on pairs that were collected once learns about answers that the policy may
    never give again. Drawn from the policy as it is and judged at once, by a reward model, a program or a critic, the
    same loss learns from what it does now.

    Args:
        rollouts: ``group_size`` answers to each prompt, which stand together.
        rewards: One for each answer.
        group_size: Answers to each prompt, at least 2.

    Returns:
        A pair for each prompt whose answers differ in reward, for :func:`llmcourse.alignment.dpo_step`; None where
        there is no such prompt, and nothing to learn.

    Raises:
        ValueError: Rewards do not fit the answers, or do not make whole groups.

    Example:
        >>> from llmcourse.alignment import roll_out
        >>> drawn = roll_out(lambda tokens: torch.zeros(*tokens.shape, 9), [[1]], 1, group_size=2, seed=0)
        >>> pairs = online_pairs(drawn, torch.tensor([0.0, 1.0]), group_size=2)
        >>> torch.equal(pairs.chosen.tokens, drawn.answers.tokens[1:])
        True
    """
    tokens, mask = rollouts.answers
    if rewards.shape != tokens.shape[:1] or group_size < 2 or len(rewards) % group_size:
        raise ValueError(
            f"rewards are {tuple(rewards.shape)}, answers {len(tokens)} and group_size is {group_size}: "
            "give one reward to each answer, of whole groups of at least 2"
        )
    groups = rewards.view(-1, group_size)
    start = torch.arange(len(groups), device=rewards.device) * group_size
    best, worst = start + groups.argmax(1), start + groups.argmin(1)
    differ = rewards[best] > rewards[worst]
    if not bool(differ.any()):
        return None
    chosen, rejected = (Answers(tokens[rows[differ]], mask[rows[differ]]) for rows in (best, worst))
    return AnswerPairs(chosen, rejected)
