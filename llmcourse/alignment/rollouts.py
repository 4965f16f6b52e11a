"""Rollouts: answers that the policy itself has drawn, with what it thought of them then."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from llmcourse.alignment.answers import Answers, answer_log_probs, join_answers
from llmcourse.architecture import generate

__all__ = ["Rollouts", "roll_out"]


class Rollouts(NamedTuple):
    """A batch of answers from the policy.

    Attributes:
        answers: Prompts and answers, the end-of-sequence token counted where one was drawn.
        log_probs: Of the answers' tokens under the policy that drew them; 0 elsewhere.
        ended: Whether an answer came to its end, rather than to the limit.
    """

    answers: Answers
    log_probs: Float[Tensor, "B T"]
    ended: Bool[Tensor, " B"]

    def texts(self) -> list[list[int]]:
        """Return each answer's tokens, for a program that verifies them."""
        return [row[mask].tolist() for row, mask in zip(*self.answers, strict=True)]


@torch.no_grad()
def roll_out(
    policy: Callable[..., Tensor],
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    *,
    stop_tokens: Collection[int] = (),
    group_size: int = 1,
    pad_token: int = 0,
    device: torch.device | str = "cpu",
    seed: int | None = None,
) -> Rollouts:
    r"""Draw answers from a policy, token by token, as it predicts them.

    There is no temperature and no filter: what is learnt from has to be drawn from the policy whose log-probabilities
    are taken, or ratios start away from 1. Prompts of one length are read together, so that none is padded in front.

    Args:
        policy: Takes tokens and gives logits.
        prompts: Each has at least one token.
        max_new_tokens: An answer ends here at the latest.
        stop_tokens: An answer ends with the first of these, which belongs to it.
        group_size: Answers to each prompt, which then stand together.
        pad_token: Fills rows up at the end.
        device: Where the policy is.
        seed: Makes the drawing repeatable.

    Returns:
        ``group_size`` answers to each prompt, in order.

    Raises:
        ValueError: There is no prompt, one is empty, or a number is below 1.

    Example:
        >>> counting = lambda tokens: 99.0 * torch.nn.functional.one_hot((tokens + 1) % 5, 5)
        >>> found = roll_out(counting, [[1], [0, 3]], 3, stop_tokens=[4])
        >>> found.texts(), found.ended.tolist()
        ([[2, 3, 4], [4]], [True, True])
    """
    if max_new_tokens < 1 or group_size < 1 or not prompts or not all(map(len, prompts)):
        raise ValueError(
            f"there are {len(prompts)} prompts, max_new_tokens is {max_new_tokens} and group_size {group_size}: "
            "give prompts of at least one token, and numbers of at least 1"
        )
    repeated = [prompt for prompt in prompts for _ in range(group_size)]
    answers: list[list[int]] = [[] for _ in repeated]
    for number, length in enumerate(sorted({len(prompt) for prompt in repeated})):
        places = [place for place, prompt in enumerate(repeated) if len(prompt) == length]
        tokens = torch.tensor([list(repeated[place]) for place in places], device=device)
        drawn_from = None if seed is None else seed + number
        written = generate(policy, tokens, max_new_tokens, stop_tokens=stop_tokens, seed=drawn_from)
        for place, row in zip(places, written[:, length:].tolist(), strict=True):
            answers[place] = _until(row, stop_tokens)
    ended = torch.tensor([answer[-1] in stop_tokens for answer in answers], device=device)
    joined = join_answers(repeated, answers, pad_token=pad_token)
    joined = Answers(joined.tokens.to(device), joined.mask.to(device))
    return Rollouts(joined, answer_log_probs(policy, joined), ended)


def _until(row: list[int], stop_tokens: Collection[int]) -> list[int]:
    end = next((place for place, token in enumerate(row) if token in stop_tokens), len(row) - 1)
    return row[: end + 1]
