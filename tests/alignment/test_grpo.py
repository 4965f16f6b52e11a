"""GRPO: groups, the three ways to sum up, the biases that Dr. GRPO names, and the KL in the loss."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import group_advantages, grpo_loss

AGGREGATIONS = ("sequence", "token", "constant")


@given(seed=st.integers(0, 1000), group_size=st.integers(2, 4), normalize_std=st.booleans())
def test_advantages_are_within_a_group(seed: int, group_size: int, normalize_std: bool) -> None:
    rewards = torch.randn(3 * group_size, generator=torch.Generator().manual_seed(seed))
    found = group_advantages(rewards, group_size=group_size, normalize_std=normalize_std)
    for start in range(0, len(rewards), group_size):
        group = rewards[start : start + group_size].double()
        expected = group - group.mean()
        if normalize_std:
            expected = expected / (group.std() + 1e-4)
        torch.testing.assert_close(found[start : start + group_size].double(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.view(3, -1).sum(1), torch.zeros(3), rtol=0, atol=1e-4)


def by_hand(log_probs, old, rewards, mask, reference, *, group_size, clip, beta, aggregation, normalize_std):
    advantages = group_advantages(rewards, group_size=group_size, normalize_std=normalize_std).tolist()
    rows = []
    for b, advantage in enumerate(advantages):
        row = []
        for t in range(mask.shape[1]):
            if mask[b, t]:
                new = float(log_probs[b, t])
                ratio, x = math.exp(new - float(old[b, t])), float(reference[b, t]) - new
                gain = min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
                row.append(-gain + beta * (math.exp(x) - x - 1))
        rows.append(row)
    if aggregation == "sequence":
        return sum(sum(row) / max(len(row), 1) for row in rows) / len(rows)
    count = mask.numel() if aggregation == "constant" else max(int(mask.sum()), 1)
    return sum(map(sum, rows)) / count


@given(
    seed=st.integers(0, 1000),
    aggregation=st.sampled_from(AGGREGATIONS),
    normalize_std=st.booleans(),
    beta=st.sampled_from([0.0, 0.3]),
)
def test_it_is_the_loss_token_by_token(seed: int, aggregation: str, normalize_std: bool, beta: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    new, old, reference = -2 * torch.rand(3, 4, 5, generator=generator)
    mask = torch.rand(4, 5, generator=generator) < 0.6
    rewards = torch.randn(4, generator=generator)
    options = {"group_size": 2, "clip": 0.2, "beta": beta, "aggregation": aggregation, "normalize_std": normalize_std}
    expected = by_hand(new, old, rewards, mask, reference, **options)
    leaf = new.masked_fill(~mask, torch.nan).requires_grad_()
    spoiled = [x.masked_fill(~mask, torch.nan) for x in (old, reference)]
    found = grpo_loss(leaf, spoiled[0], rewards, mask, reference_log_probs=spoiled[1], **options)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    (gradient,) = torch.autograd.grad(found, leaf)
    assert bool(gradient.isfinite().all()) and not gradient[~mask].any()


def token_weights(aggregation: str) -> torch.Tensor:
    """How much a token of a wrong answer counts, of 2 tokens and of 8."""
    mask = torch.zeros(4, 8, dtype=torch.bool)
    mask[0, :2] = mask[1] = mask[2, :2] = mask[3] = True
    leaf = torch.zeros(4, 8, requires_grad=True)
    rewards = torch.tensor([0.0, 0.0, 1.0, 1.0])
    loss = grpo_loss(leaf, torch.zeros(4, 8), rewards, mask, group_size=4, aggregation=aggregation)
    return torch.autograd.grad(loss, leaf)[0][:2, 0]


def test_the_mean_over_an_answer_lets_long_wrong_answers_off() -> None:
    short, long = token_weights("sequence").tolist()
    assert short == pytest.approx(4 * long)
    for aggregation in ("token", "constant"):
        short, long = token_weights(aggregation).tolist()
        assert short == pytest.approx(long)


def test_dividing_by_the_deviation_makes_prompts_count_that_are_nearly_solved() -> None:
    rewards = torch.tensor([1.0] * 7 + [0.0] + [1.0] * 4 + [0.0] * 4)  # 7 of 8 solved, and 4 of 8
    biased = group_advantages(rewards, group_size=8)
    plain = group_advantages(rewards, group_size=8, normalize_std=False)
    assert float(plain[7].abs()) == pytest.approx(7 / 8) and float(plain[15].abs()) == pytest.approx(1 / 2)
    assert float(biased[7].abs() / biased[15].abs()) > 1.3 * float(plain[7].abs() / plain[15].abs())


def test_a_prompt_that_is_always_solved_teaches_nothing() -> None:
    leaf, mask = torch.zeros(2, 3, requires_grad=True), torch.ones(2, 3, dtype=torch.bool)
    loss = grpo_loss(leaf, torch.zeros(2, 3), torch.ones(2), mask, group_size=2)
    loss.backward()
    assert loss == 0 and not leaf.grad.any()


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_all_masked_far_ratios_gradients_and_dtypes(aggregation: str) -> None:
    options = {"group_size": 2, "aggregation": aggregation, "beta": 0.1}
    rewards, mask = torch.tensor([1.0, 0.0]), torch.ones(2, 3, dtype=torch.bool)
    leaf = torch.tensor([[1e3, -1e3, 0.0], [1e3, -1e3, 0.0]], requires_grad=True)
    zero = torch.zeros(2, 3)
    loss = grpo_loss(leaf, zero, rewards, mask, reference_log_probs=zero, **options)
    assert bool(loss.isfinite()) and bool(torch.autograd.grad(loss, leaf)[0].isfinite().all())
    nothing = grpo_loss(leaf, zero, rewards, ~mask, reference_log_probs=zero, **options)
    assert nothing == 0 and not torch.autograd.grad(nothing, leaf)[0].any()
    three = torch.randn(3, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(
        lambda x: grpo_loss(x, three[1], rewards, mask, reference_log_probs=three[2], **options),
        three[0].clone().requires_grad_(),
    )
    narrow = grpo_loss(zero.bfloat16(), zero.bfloat16(), rewards.bfloat16(), mask, group_size=2)
    assert narrow.dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group_size": 3}, r"rewards are \(4,\) and group_size is 3"),
        ({"group_size": 1}, "group_size is 1"),
        ({"beta": 0.1}, r"beta is 0\.1 and reference_log_probs none"),
        ({"aggregation": "mean"}, "aggregation is 'mean'"),
        ({"clip": 0.0}, r"clip is 0\.0"),
        ({"rewards": torch.zeros(2)}, r"rewards are \(2,\) and log_probs \(4, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message: str) -> None:
    zero, mask = torch.zeros(4, 3), torch.ones(4, 3, dtype=torch.bool)
    options = {"rewards": torch.zeros(4), "group_size": 2} | change
    with pytest.raises(ValueError, match=message):
        grpo_loss(zero, zero, mask=mask, **options)
