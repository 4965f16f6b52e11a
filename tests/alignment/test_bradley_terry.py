"""Comparisons: the closed form of loss and gradient, far margins, and how sure a model may be."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import bradley_terry_loss, calibration, centering_loss, preference_accuracy


@given(r=st.floats(-30, 30), other=st.floats(-30, 30), margin=st.floats(0, 3))
def test_loss_and_gradient_are_the_closed_forms(r: float, other: float, margin: float) -> None:
    chosen = torch.tensor([r], dtype=torch.float64, requires_grad=True)
    rejected = torch.tensor([other], dtype=torch.float64, requires_grad=True)
    loss = bradley_terry_loss(chosen, rejected, margin=margin)
    odds = math.exp(r - other - margin)
    assert loss.item() == pytest.approx(math.log1p(1 / odds), rel=1e-9)
    gradients = torch.autograd.grad(loss.sum(), (chosen, rejected))
    assert float(gradients[0]) == pytest.approx(-1 / (1 + odds), rel=1e-9)
    assert float(gradients[1]) == pytest.approx(1 / (1 + odds), rel=1e-9)


def test_far_margins_are_finite_with_gradients() -> None:
    chosen = torch.tensor([1e3, -1e3, 0.0], requires_grad=True)
    loss = bradley_terry_loss(chosen, torch.zeros(3))
    assert loss.tolist() == pytest.approx([0, 1000, math.log(2)])
    (gradient,) = torch.autograd.grad(loss.sum(), chosen)
    assert gradient.tolist() == [0, -1, -0.5]


def test_a_margin_for_each_pair() -> None:
    rewards = torch.tensor([2.0, 1.0]), torch.tensor([1.0, 1.0])
    each = bradley_terry_loss(*rewards, margin=torch.tensor([1.0, 0.5]))
    expected = [float(bradley_terry_loss(*rewards, margin=m)[i]) for i, m in enumerate((1.0, 0.5))]
    assert each.tolist() == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"chosen is \(2,\) and margin \(3,\)"):
        bradley_terry_loss(*rewards, margin=torch.ones(3))


def test_bf16_is_computed_in_fp32() -> None:
    chosen, rejected = torch.tensor([1.0]).bfloat16(), torch.tensor([0.25]).bfloat16()
    found = bradley_terry_loss(chosen, rejected)
    assert found.dtype == torch.float32 and float(found) == pytest.approx(math.log1p(math.exp(-0.75)), rel=1e-5)


def test_comparisons_leave_the_level_and_centering_holds_it() -> None:
    chosen, rejected = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    same = bradley_terry_loss(chosen + 5, rejected + 5)
    torch.testing.assert_close(same, bradley_terry_loss(chosen, rejected), rtol=1e-5, atol=1e-5)
    level = torch.tensor(5.0, requires_grad=True)
    for _ in range(200):
        loss = centering_loss(chosen + level, rejected + level, weight=0.1).mean()
        (gradient,) = torch.autograd.grad(loss, level)
        level = (level - gradient).detach().requires_grad_()
    assert ((chosen + rejected).mean() / 2 + level).item() == pytest.approx(0, abs=1e-5)


def test_accuracy_leaves_ties_out() -> None:
    assert preference_accuracy(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.0, 1.0, 2.0])) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"chosen is \(0,\)"):
        preference_accuracy(torch.zeros(0), torch.zeros(0))
    with pytest.raises(ValueError, match=r"chosen is \(2,\) and rejected \(1,\)"):
        preference_accuracy(torch.zeros(2), torch.zeros(1))


def drawn(scale: float, n: int = 40_000):
    """Pairs whose winner is drawn by Bradley and Terry's rule, and rewards that are ``scale`` times the true ones."""
    generator = torch.Generator().manual_seed(0)
    difference = 2 * torch.randn(n, generator=generator)
    won = torch.rand(n, generator=generator) < difference.sigmoid()
    return scale * torch.where(won, difference, -difference), torch.zeros(n)


def test_true_rewards_are_calibrated_and_doubled_ones_are_too_sure() -> None:
    true, doubled = calibration(*drawn(1.0)), calibration(*drawn(2.0))
    assert true.error < 0.01 < 0.05 < doubled.error  # 40 000 pairs: a bin of 4 000 is known to about 0.008
    assert bool((doubled.confidence > doubled.accuracy)[1:].all())
    assert int(true.n_pairs.sum()) == 40_000


def test_calibration_by_hand() -> None:
    found = calibration(torch.tensor([0.0, 3.0, -3.0, 3.0]), torch.zeros(4), n_bins=2)
    sure = 1 / (1 + math.exp(-3))
    assert found.confidence.tolist() == pytest.approx([0.5, sure])
    assert found.accuracy.tolist() == pytest.approx([0.5, 2 / 3])
    assert found.n_pairs.tolist() == [1, 3]
    assert found.error == pytest.approx(3 / 4 * (sure - 2 / 3))
    certain = calibration(torch.tensor([1e4]), torch.zeros(1))
    assert certain.n_pairs.tolist() == [1] and certain.error == 0
    with pytest.raises(ValueError, match="1 pairs and 0 bins"):
        calibration(torch.zeros(1), torch.zeros(1), n_bins=0)
