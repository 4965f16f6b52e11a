"""Both answers to a prompt in one row: the prompt is computed once, and neither answer sees the other."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.alignment.answers import Answers
from llmcourse.alignment.log_probs import token_log_probs
from llmcourse.architecture import Transformer

__all__ = ["SharedPrompts", "share_prompts", "shared_log_probs"]


class SharedPrompts(NamedTuple):
    """A prompt, the chosen answer, the rejected one, and padding, in each row.

    Attributes:
        tokens: Ids.
        segments: 0 is the prompt, 1 the chosen answer, 2 the rejected one, 3 padding.
        positions: Where each token stands in its own sequence: both answers go on from the prompt.
        source: From which place of the row a token is predicted: the first of both answers from the prompt's last.
    """

    tokens: Int[Tensor, "B T"]
    segments: Int[Tensor, "B T"]
    positions: Int[Tensor, "B T"]
    source: Int[Tensor, "B T"]


def share_prompts(chosen: Answers, rejected: Answers) -> SharedPrompts:
    r"""Lay pairs of answers into rows that have their prompt once.

    Args:
        chosen: Prompts with the preferred answers, each answer one stretch at the end of its row's tokens.
        rejected: The same prompts with the others.

    Returns:
        Rows as long as the longest prompt with its two answers, on the device of ``chosen``.

    Raises:
        ValueError: The two do not begin with the same prompts.

    Cost: P + C + R tokens a pair where two rows have 2 P + C + R.

    Example:
        >>> from llmcourse.alignment import join_answers
        >>> rows = share_prompts(join_answers([[5, 6]], [[7, 8]]), join_answers([[5, 6]], [[9]]))
        >>> rows.tokens.tolist(), rows.positions.tolist(), rows.source.tolist()
        ([[5, 6, 7, 8, 9]], [[0, 1, 2, 3, 2]], [[0, 0, 1, 2, 1]])
    """
    rows = [_row(*(one[b] for one in (*chosen, *rejected))) for b in range(len(chosen.tokens))]
    width = max(len(row[0]) for row in rows)
    columns = [
        torch.nn.utils.rnn.pad_sequence(list(column), batch_first=True, padding_value=fill)
        for column, fill in zip(zip(*rows, strict=True), (0, 3, 0, 0), strict=True)
    ]
    assert columns[0].shape[1] == width
    return SharedPrompts(*columns)


def _row(chosen: Tensor, chosen_mask: Tensor, rejected: Tensor, rejected_mask: Tensor) -> tuple[Tensor, ...]:
    prompt, other = chosen[: int(chosen_mask.int().argmax())], rejected[: int(rejected_mask.int().argmax())]
    if not torch.equal(prompt, other) or not len(prompt):
        raise ValueError(f"prompts are {prompt.tolist()} and {other.tolist()}: both answers follow one prompt")
    first, second = chosen[chosen_mask], rejected[rejected_mask]
    p, c, r = len(prompt), len(first), len(second)
    place = torch.arange(p + c + r, device=chosen.device)
    segments = (place >= p).long() + (place >= p + c).long()
    source = (place - 1).clamp(min=0)
    if r:
        source[p + c] = p - 1
    return torch.cat([prompt, first, second]), segments, torch.where(segments == 2, place - c, place), source


class _Branches:
    """What tells attention that a row branches; as a cache it keeps nothing, and causality is added to its mask."""

    n_tokens = 0

    def __init__(self, segments: Tensor) -> None:
        same = segments[:, :, None] == segments[:, None, :]
        self.allowed: Bool[Tensor, "B 1 T T"] = (same | (segments == 0)[:, None, :])[:, None]

    def reset(self) -> None: ...

    def update(self, layer: int, k: Tensor, v: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        return k, v

    def mask(self, layer: int, positions: Tensor) -> Tensor:
        return self.allowed


def shared_log_probs(
    model: Transformer, rows: SharedPrompts, *, average: bool = False
) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    r"""Return the log-probabilities of both answers of each pair, number for number as from two rows.

    Args:
        model: Its layers have no window, which counts places in a row.
        rows: From :func:`share_prompts`.
        average: Divide by the answer's length.

    Returns:
        Those of the chosen answers and of the rejected ones, in fp32 at least.

    Raises:
        ValueError: A layer of the model has a window.
    """
    config = model.config
    windows = [config.window_of(layer) for layer in range(config.n_layers)]
    if any(windows):
        raise ValueError(f"the model has windows of {windows} tokens: two answers in a row need it to see all")
    hidden = model.hidden(rows.tokens, cache=_Branches(rows.segments), positions=rows.positions)
    answer = (rows.segments == 1) | (rows.segments == 2)
    before = rows.source + torch.arange(len(hidden), device=hidden.device)[:, None] * hidden.shape[1]
    logits = model.output(hidden.flatten(0, 1)[before[answer]])
    found = token_log_probs(logits[None], rows.tokens[answer][None])[0]
    each = found.new_zeros(answer.shape).masked_scatter(answer, found)
    chosen, rejected = (_total(each, rows.segments == side, average) for side in (1, 2))
    return chosen, rejected


def _total(each: Tensor, mask: Tensor, average: bool) -> Tensor:
    total = each.where(mask, 0.0).sum(-1)
    return total / mask.sum(-1).clamp(min=1) if average else total
