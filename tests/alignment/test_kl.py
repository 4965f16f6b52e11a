"""KL estimators: values and gradients apart, each against the exact KL of small categoricals."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import importance_ratio, kl_penalty


def pair(seed: int, n: int = 6):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, n, generator=generator, dtype=torch.float64)


def mean(logits: torch.Tensor, reference: torch.Tensor, estimator: str) -> torch.Tensor:
    """The expectation over tokens that the policy draws; the draws themselves do not depend on the parameters."""
    log_p = logits.log_softmax(-1)
    return (log_p.exp().detach() * kl_penalty(log_p, reference.log_softmax(-1), estimator=estimator)).sum()


def exact(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    log_p, log_q = p.log_softmax(-1), q.log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum()


@given(seed=st.integers(0, 1000))
def test_means_of_k1_and_k3_are_the_kl_and_that_of_k2_nearly(seed: int) -> None:
    policy, reference = pair(seed)
    divergence = exact(policy, reference)
    for estimator in ("k1", "k3"):
        torch.testing.assert_close(mean(policy, reference, estimator), divergence, rtol=1e-9, atol=1e-12)
    near = policy + 0.01 * reference
    torch.testing.assert_close(mean(near, policy, "k2"), exact(near, policy), rtol=0.05, atol=1e-12)


@given(seed=st.integers(0, 1000))
def test_gradients_are_those_of_nothing_of_the_kl_and_of_the_other_kl(seed: int) -> None:
    policy, reference = pair(seed)
    policy.requires_grad_()
    expected = {
        "k1": torch.zeros(6, dtype=torch.float64),
        "k2": torch.autograd.grad(exact(policy, reference), policy)[0],
        "k3": torch.autograd.grad(exact(reference, policy), policy)[0],
    }
    for estimator, gradient in expected.items():
        (found,) = torch.autograd.grad(mean(policy, reference, estimator), policy)
        torch.testing.assert_close(found, gradient, rtol=1e-9, atol=1e-12)


def test_k2_and_k3_are_never_negative_and_k1_may_be() -> None:
    policy, reference = 3 * pair(0, 100).float()
    assert bool((kl_penalty(policy, reference, estimator="k1") < 0).any())
    for estimator in ("k2", "k3"):
        assert bool((kl_penalty(policy, reference, estimator=estimator) >= 0).all())
    close = torch.full((3,), -5.0)
    other = close + torch.tensor([1e-3, -1e-3, 0.0])
    small = kl_penalty(close, other, estimator="k3")  # exp(x) - 1 - x would have no digit left
    x = (other - close).double()
    torch.testing.assert_close(small.double(), torch.expm1(x) - x, rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_far_ratios_masks_gradients_and_dtypes(estimator: str) -> None:
    leaf = torch.tensor([1e3, -1e3, 0.0], requires_grad=True)
    found = kl_penalty(leaf, torch.zeros(3), estimator=estimator)
    (gradient,) = torch.autograd.grad(found.sum(), leaf)
    assert bool(found.isfinite().all()) and bool(gradient.isfinite().all())
    if estimator != "k1":
        assert gradient[0] > 0 > gradient[1]  # back to the reference, from either side
    mask = torch.tensor([True, False, True])
    spoiled = torch.tensor([0.5, torch.nan, 0.1], requires_grad=True)
    masked = kl_penalty(spoiled, torch.tensor([0.0, torch.nan, 0.1]), mask, estimator=estimator)
    assert masked[1] == 0 and bool(torch.autograd.grad(masked.sum(), spoiled)[0].isfinite().all())
    doubles = (3 * pair(1)[0]).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: kl_penalty(x, 3 * pair(1)[1], estimator=estimator), doubles)
    assert kl_penalty(torch.ones(2).bfloat16(), torch.zeros(2).bfloat16(), estimator=estimator).dtype == torch.float32


def test_an_unknown_estimator_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="estimator is 'k4'"):
        kl_penalty(torch.zeros(1), torch.zeros(1), estimator="k4")
    with pytest.raises(ValueError, match=r"log_probs is \(2,\) and reference_log_probs \(3,\)"):
        kl_penalty(torch.zeros(2), torch.zeros(3))


@given(difference=st.floats(-1000, 59))
def test_ratios_are_exponentials_and_then_a_tangent(difference: float) -> None:
    x = torch.tensor(difference, dtype=torch.float64)
    zero = torch.zeros((), dtype=torch.float64)
    torch.testing.assert_close(importance_ratio(x, zero), x.exp())
    beyond = importance_ratio(torch.tensor([60.0, 61.0], dtype=torch.float64), zero.expand(2))
    torch.testing.assert_close(beyond[1], 2 * beyond[0])
