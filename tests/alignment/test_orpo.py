"""ORPO: probabilities in fp64, and answers that are nearly or quite certain."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import orpo_loss
from llmcourse.alignment.orpo import log_odds


@given(p=st.floats(0.001, 0.999), q=st.floats(0.001, 0.999), weight=st.floats(0, 1))
def test_it_is_the_papers_formula(p: float, q: float, weight: float) -> None:
    ratio = (p / (1 - p)) / (q / (1 - q))
    expected = -math.log(p) - weight * math.log(1 / (1 + 1 / ratio))
    found = orpo_loss(torch.tensor([p]).log(), torch.tensor([q]).log(), weight=weight)
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_digits_near_certainty_and_certainty_itself() -> None:
    almost = torch.tensor([-1e-9])  # 1 - exp(a) would be 0 in fp32
    assert float(log_odds(almost)) == pytest.approx(-math.log(1e-9), rel=1e-6)
    certain = torch.zeros(2, requires_grad=True)
    loss = orpo_loss(certain, torch.tensor([0.0, -1.0]))
    (gradient,) = torch.autograd.grad(loss.sum(), certain)
    assert loss.tolist() == pytest.approx([0.1 * math.log(2), 0], abs=1e-6)
    assert bool(gradient.isfinite().all())


def test_far_averages_gradients_and_dtypes() -> None:
    leaf = torch.tensor([-1e3, -0.5], requires_grad=True)
    loss = orpo_loss(leaf, torch.tensor([-0.5, -1e3]), weight=1.0)
    (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    assert loss.tolist() == pytest.approx([1000 + 1000 + math.log(math.exp(-0.5) / (1 - math.exp(-0.5))), 0.5])
    assert gradient.tolist() == pytest.approx([-2, -1])
    pair = [-torch.rand(4, generator=torch.Generator().manual_seed(i), dtype=torch.float64) - 0.1 for i in range(2)]
    assert torch.autograd.gradcheck(orpo_loss, tuple(one.requires_grad_() for one in pair))
    assert orpo_loss(*(torch.tensor([-0.5]).bfloat16() for _ in range(2))).dtype == torch.float32
    with pytest.raises(ValueError, match=r"chosen_average is \(2,\) and rejected_average \(3,\)"):
        orpo_loss(torch.zeros(2), torch.zeros(3))
