"""Answers to prompts as rows of tokens, and how likely a model finds them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.alignment.log_probs import token_log_probs
from llmcourse.architecture import Transformer

__all__ = ["Answers", "answer_log_probs", "answer_logits", "join_answers"]


class Answers(NamedTuple):
    """Prompts with an answer each, filled up at the end.

    Attributes:
        tokens: The prompt, the answer, and padding.
        mask: True at the answer's tokens, its end among them. Not shifted: ``mask[b, t]`` is of ``tokens[b, t]``.
    """

    tokens: Int[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]

    @property
    def lengths(self) -> Int[Tensor, " B"]:
        """How many tokens each answer has."""
        return self.mask.sum(-1)


def join_answers(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], *, pad_token: int = 0) -> Answers:
    r"""Lay prompts and their answers side by side.

    Args:
        prompts: Each has at least one token, from which the answer's first is predicted.
        answers: With their end-of-sequence tokens.
        pad_token: Fills up at the end, where causality keeps it out of sight.

    Returns:
        Rows on the CPU.

    Raises:
        ValueError: A prompt is empty, or numbers differ.

    Example:
        >>> join_answers([[5, 6], [5]], [[7], [8]]).mask.int()
        tensor([[0, 0, 1],
                [0, 1, 0]], dtype=torch.int32)
    """
    if len(prompts) != len(answers) or not prompts or not all(len(prompt) for prompt in prompts):
        shortest = min(map(len, prompts), default=0)
        raise ValueError(
            f"there are {len(prompts)} prompts, the shortest of {shortest} tokens, and {len(answers)} answers: "
            "give one answer to each, after at least one token"
        )
    width = max(len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True))
    tokens = torch.full((len(prompts), width), pad_token)
    mask = torch.zeros_like(tokens, dtype=torch.bool)
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        stop = len(prompt) + len(answer)
        tokens[row, :stop] = torch.tensor([*prompt, *answer])
        mask[row, len(prompt) : stop] = True
    return Answers(tokens, mask)


def answer_log_probs(model: Callable[..., Tensor], answers: Answers) -> Float[Tensor, "B T"]:
    r"""Return the log-probability of each token of the answers, and 0 at all others.

    Args:
        model: Gives logits for tokens. Those of a :class:`llmcourse.architecture.Transformer` are made for the answers
            alone.
        answers: Rows of tokens.

    Returns:
        At ``[b, t]`` that of ``tokens[b, t]`` given all before it, in fp32 at least. Summed over t it is the answer's.

    Raises:
        ValueError: The mask does not fit, or is True at a first token, before which there is nothing.

    Example:
        >>> even = lambda tokens: torch.zeros(*tokens.shape, 8)
        >>> answer_log_probs(even, join_answers([[1]], [[2, 3]]))
        tensor([[ 0.0000, -2.0794, -2.0794]])
    """
    logits = answer_logits(model, answers)
    labels, kept = answers.tokens[:, 1:], answers.mask[:, 1:]
    found = token_log_probs(logits[None], labels[kept][None])[0]
    return F.pad(found.new_zeros(kept.shape).masked_scatter(kept, found), (1, 0))


def answer_logits(model: Callable[..., Tensor], answers: Answers) -> Float[Tensor, "n_kept V"]:
    r"""Return the logits from which the answers' tokens are predicted, row by row.

    Args:
        model: As for :func:`answer_log_probs`.
        answers: Rows of tokens.

    Returns:
        As many rows as the mask has True, in its order.

    Raises:
        ValueError: As for :func:`answer_log_probs`.
    """
    tokens, mask = answers
    if mask.shape != tokens.shape or mask.dtype != torch.bool or bool(mask[:, 0].any()):
        first = int(mask[:, 0].sum()) if mask.ndim == 2 else "?"
        raise ValueError(
            f"mask is {tuple(mask.shape)} of {mask.dtype} and tokens {tuple(tokens.shape)}, with {first} answers that "
            "begin a row: give booleans, and at least one token before each answer"
        )
    kept = mask[:, 1:]
    if isinstance(model, Transformer):
        return model.output(model.hidden(tokens[:, :-1])[kept])
    return model(tokens[:, :-1])[kept]
