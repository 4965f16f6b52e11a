"""SimPO: the closed form, its tie to DPO, and that it does not see the length."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import dpo_loss, sequence_log_probs, simpo_loss


@given(a=st.floats(-10, 0), b=st.floats(-10, 0), beta=st.floats(0.1, 5), gamma=st.floats(0, 3))
def test_it_is_the_closed_form_and_a_dpo_whose_reference_has_a_margin(a, b, beta, gamma) -> None:
    chosen, rejected = torch.tensor([a], dtype=torch.float64), torch.tensor([b], dtype=torch.float64)
    found = simpo_loss(chosen, rejected, beta=beta, gamma=gamma)
    assert float(found) == pytest.approx(math.log1p(math.exp(gamma - beta * (a - b))), rel=1e-6, abs=1e-12)
    zero = torch.zeros(1, dtype=torch.float64)
    torch.testing.assert_close(found, dpo_loss(chosen, rejected, zero + gamma / beta, zero, beta=beta))


def test_an_answer_said_twice_has_the_same_reward() -> None:
    logits = torch.randn(1, 4, 9, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 2, 3, 4]])
    once = sequence_log_probs(logits, labels, average=True)
    twice = sequence_log_probs(logits.repeat(1, 2, 1), labels.repeat(1, 2), average=True)
    torch.testing.assert_close(once, twice)


def test_far_averages_gradients_and_dtypes() -> None:
    leaf = torch.tensor([1e3, -1e3], requires_grad=True)
    loss = simpo_loss(leaf, torch.zeros(2))
    assert loss.tolist() == [0, 2001]
    assert torch.autograd.grad(loss.sum(), leaf)[0].tolist() == [0, -2]
    pair = [torch.randn(4, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(2)]
    assert torch.autograd.gradcheck(simpo_loss, tuple(one.requires_grad_() for one in pair))
    assert simpo_loss(*(torch.tensor([-0.5]).bfloat16() for _ in range(2))).dtype == torch.float32
    with pytest.raises(ValueError, match=r"chosen_average is \(2,\)"):
        simpo_loss(torch.zeros(2), torch.zeros(3))
