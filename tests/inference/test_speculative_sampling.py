"""Accepting drafts: exact in distribution, and as often as the closed forms say."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from llmcourse.inference import (
    accept_draft,
    acceptance_probability,
    expected_speedup,
    expected_tokens,
    residual_distribution,
)


def distributions(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).mul(1.5).softmax(-1)


@given(st.integers(0, 10_000))
def test_what_is_accepted_and_the_residual_make_up_the_target(seed: int) -> None:
    p, q = distributions(seed, 2, 7).double()
    refused = 1 - acceptance_probability(p, q)
    torch.testing.assert_close(torch.minimum(p, q) + refused * residual_distribution(p, q), p)
    assert residual_distribution(p, q).sum().item() == pytest.approx(1)


def test_the_residual_of_equals_is_the_target() -> None:
    p = distributions(0, 5)
    torch.testing.assert_close(residual_distribution(p, p), p)


def draw_rounds(draft: torch.Tensor, target: torch.Tensor, n: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(1)
    rounds = []
    for _ in range(n):
        drafted = torch.multinomial(draft, 1, generator=generator)[:, 0]
        rounds.append(accept_draft(drafted, draft, target, generator=generator).tolist())
    return rounds


def test_each_place_is_distributed_as_the_target_has_it() -> None:
    draft, target = distributions(2, 3, 5), distributions(3, 4, 5)
    rounds = draw_rounds(draft, target, 12_000)
    for place in range(4):
        tokens = torch.tensor([one[place] for one in rounds if len(one) > place])
        counts = torch.bincount(tokens, minlength=5).double()
        assert chisquare(counts, target[place].double() / target[place].double().sum() * len(tokens)).pvalue > 1e-3


def test_tokens_a_round_are_as_many_as_expected() -> None:
    draft = distributions(4, 1, 5).expand(4, 5)
    target = distributions(5, 1, 5).expand(5, 5)
    rate = acceptance_probability(target[0], draft[0]).item()
    rounds = draw_rounds(draft, target, 6_000)
    assert sum(map(len, rounds)) / len(rounds) == pytest.approx(expected_tokens(rate, 4), rel=0.03)


def test_certain_drafts_are_taken_or_left() -> None:
    certain = torch.eye(6)
    rows = certain[[1, 2, 3]]
    assert accept_draft(torch.tensor([1, 2, 3]), rows, certain[[1, 2, 3, 4]]).tolist() == [1, 2, 3, 4]
    assert accept_draft(torch.tensor([1, 2, 3]), rows, certain[[5, 2, 3, 4]]).tolist() == [5]
    nothing = torch.zeros(0, dtype=torch.long)
    assert accept_draft(nothing, certain[:0], certain[[4]]).tolist() == [4]


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9, 1.0])
def test_expected_tokens_in_closed_form(rate: float) -> None:
    direct = 5 if rate == 1 else (1 - rate**5) / (1 - rate)
    assert expected_tokens(rate, 4) == pytest.approx(direct)
    assert expected_speedup(rate, 4, 0.1) == pytest.approx(direct / 1.4)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("acceptance is 1.5 and draft_length 2")):
        expected_tokens(1.5, 2)
    with pytest.raises(ValueError, match=re.escape("cost_ratio is -1")):
        expected_speedup(0.5, 2, -1)
    with pytest.raises(ValueError, match=re.escape("drafted has 1 tokens, draft (1, 4), target (1, 4)")):
        accept_draft(torch.tensor([0]), torch.ones(1, 4), torch.ones(1, 4))
    with pytest.raises(ValueError, match=re.escape("target has shape (2,) and draft (3,)")):
        residual_distribution(torch.ones(2), torch.ones(3))
