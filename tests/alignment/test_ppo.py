"""PPO: the objective case by case, masks, whitening, the controller and the diagnostics."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import (
    AdaptiveKL,
    diagnose_policy,
    entropy,
    explained_variance,
    ppo_loss,
    value_loss,
    whiten,
)


@pytest.mark.parametrize(
    ("ratio", "advantage", "objective", "moves"),
    [
        (1.0, 1.0, 1.0, True),
        (1.5, 1.0, 1.2, False),  # gone far enough the right way
        (0.5, 1.0, 0.5, True),  # gone the wrong way: all of the gradient
        (0.5, -1.0, -0.8, False),
        (1.5, -1.0, -1.5, True),
    ],
)
def test_the_objective_is_the_smaller_of_the_two(ratio, advantage, objective, moves) -> None:
    leaf = torch.tensor([math.log(ratio)], requires_grad=True)
    loss = ppo_loss(leaf, torch.zeros(1), torch.tensor([advantage]))
    assert loss.item() == pytest.approx(-objective)
    (gradient,) = torch.autograd.grad(loss, leaf)
    assert float(gradient) == pytest.approx(-ratio * advantage if moves else 0.0)


@given(seed=st.integers(0, 1000), clip=st.floats(0.05, 0.5))
def test_it_is_the_mean_over_tokens_that_count(seed: int, clip: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    new, old, gain = torch.randn(3, 2, 4, generator=generator)
    mask = torch.rand(2, 4, generator=generator) < 0.6
    total = 0.0
    for n, o, a in zip(new[mask].tolist(), old[mask].tolist(), gain[mask].tolist(), strict=True):
        ratio = math.exp(n - o)
        total -= min(ratio * a, min(max(ratio, 1 - clip), 1 + clip) * a)
    spoiled = [x.masked_fill(~mask, torch.nan).requires_grad_() for x in (new, old, gain)]
    loss = ppo_loss(*spoiled, mask, clip=clip)
    assert loss.item() == pytest.approx(total / max(int(mask.sum()), 1), rel=1e-4, abs=1e-5)
    found = torch.autograd.grad(loss, spoiled, allow_unused=True)
    assert found[1] is None and found[2] is None  # constants
    assert bool(found[0].isfinite().all()) and not found[0][~mask].any()


@pytest.mark.parametrize("difference", [1e3, -1e3])
@pytest.mark.parametrize("advantage", [1.0, 0.0, -1.0])
def test_far_ratios_are_finite_with_gradients(difference: float, advantage: float) -> None:
    leaf = torch.tensor([difference, 0.0], requires_grad=True)
    loss = ppo_loss(leaf, torch.zeros(2), torch.full((2,), advantage))
    (gradient,) = torch.autograd.grad(loss, leaf)
    assert bool(loss.isfinite()) and bool(gradient.isfinite().all())


def test_gradients_are_exact_and_bf16_is_computed_in_fp32() -> None:
    new, old, gain = torch.randn(3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: ppo_loss(x, old, gain), new.requires_grad_())
    assert torch.autograd.gradcheck(lambda x: value_loss(x, old, gain, clip=0.3), new)
    assert ppo_loss(*(x.detach().bfloat16() for x in (new, old, gain))).dtype == torch.float32


def test_the_critics_loss_is_the_larger_of_the_two() -> None:
    now, before = torch.tensor([1.0, 0.1, -1.0], requires_grad=True), torch.zeros(3)
    target = torch.tensor([1.0, 1.0, 1.0])
    loss = value_loss(now, before, target, clip=0.2)
    assert loss.item() == pytest.approx((0.8**2 + 0.9**2 + 2.0**2) / 6)
    (gradient,) = torch.autograd.grad(loss, now)
    assert gradient.tolist() == pytest.approx([0.0, -0.9 / 3, -2.0 / 3])
    nothing = value_loss(now, before, target, torch.zeros(3, dtype=torch.bool))
    assert nothing == 0 and torch.autograd.grad(nothing, now)[0].tolist() == [0, 0, 0]
    free = value_loss(now.detach(), before, target, clip=float("inf"))
    assert free.item() == pytest.approx((0.9**2 + 2.0**2) / 6)


def test_entropy_is_that_of_torch() -> None:
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    expected = torch.distributions.Categorical(logits=logits).entropy()
    mask = torch.tensor([[True, False, True], [False, False, True]])
    torch.testing.assert_close(entropy(logits, mask), expected[mask].mean())
    spoiled = logits.masked_fill(~mask[..., None], torch.nan)
    spoiled[0, 0, 1] = -torch.inf
    spoiled.requires_grad_()
    (gradient,) = torch.autograd.grad(entropy(spoiled, mask), spoiled)
    assert bool(gradient.isfinite().all())
    with pytest.raises(ValueError, match=r"mask is \(2,\)"):
        entropy(logits, torch.ones(2, dtype=torch.bool))


@given(seed=st.integers(0, 1000), shift_mean=st.booleans())
def test_whitening_does_not_see_padding(seed: int, shift_mean: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = 3 * torch.randn(3, 6, generator=generator) + 5
    mask = torch.rand(3, 6, generator=generator) < 0.6
    mask[0, :3] = True
    found = whiten(values.masked_fill(~mask, torch.nan), mask, shift_mean=shift_mean)
    kept = values[mask]
    expected = (kept - kept.mean()) / kept.std() + (0 if shift_mean else kept.mean())
    torch.testing.assert_close(found[mask], expected, rtol=1e-4, atol=1e-5)
    assert not found[~mask].any()


def test_whitening_of_one_value_and_of_none() -> None:
    one = torch.tensor([5.0, 7.0])
    assert whiten(one, torch.tensor([True, False])).tolist() == [0, 0]
    assert whiten(one, torch.tensor([True, False]), shift_mean=False).tolist() == [5, 0]
    assert whiten(one, torch.zeros(2, dtype=torch.bool)).tolist() == [0, 0]


def test_the_price_of_kl_rises_and_falls_at_a_limited_rate() -> None:
    price = AdaptiveKL(beta=1.0, target=6.0, horizon=100)
    assert price.update(6.3, 50) == pytest.approx(1 + 0.05 * 0.5)
    assert AdaptiveKL(beta=1.0, target=6.0, horizon=100).update(1e6, 50) == pytest.approx(1.1)
    assert AdaptiveKL(beta=1.0, target=6.0, horizon=100).update(-3.0, 10**6) == pytest.approx(0.8)
    beta, price = 0.0, AdaptiveKL(beta=1.0, target=2.0, horizon=10)
    for _ in range(200):  # a policy whose KL is 1 / beta settles where beta is 1 / 2
        beta = price.update(1 / price.beta, 5)
    assert beta == pytest.approx(0.5, rel=1e-3)
    with pytest.raises(ValueError, match="target is 0"):
        AdaptiveKL(target=0)


def test_diagnostics() -> None:
    generator = torch.Generator().manual_seed(0)
    old, new = torch.randn(2, 5, generator=generator).log_softmax(-1).double()
    tokens = torch.multinomial(old.exp().float(), 40_000, replacement=True, generator=generator)
    found = diagnose_policy(new[tokens], old[tokens])
    assert found.kl == pytest.approx(float((old.exp() * (old - new)).sum()), rel=0.05)  # 40 000 draws
    assert found.ratio == pytest.approx(1, abs=0.05)
    outside = ((new - old).exp() - 1).abs() > 0.2
    assert found.clip_fraction == pytest.approx(float(outside[tokens].double().mean()))
    mask = torch.tensor([True, True, True, False])
    returns = torch.tensor([1.0, 2.0, 3.0, torch.nan])
    assert explained_variance(returns, returns, mask) == 1
    assert explained_variance(torch.ones(4), returns, mask) == 0
    assert explained_variance(-returns, returns, mask) == pytest.approx(-3)
    assert math.isnan(explained_variance(returns, torch.ones(4)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ppo_loss(x, x, x, clip=0.0), r"clip is 0\.0"),
        (lambda x: value_loss(x, x, x, clip=-1.0), r"clip is -1\.0"),
        (lambda x: ppo_loss(x, x[:1], x), r"log_probs is \(2,\) and old_log_probs \(1,\)"),
        (lambda x: ppo_loss(x, x, x, torch.ones(2)), "mask is .* of torch.float32"),
    ],
)
def test_what_does_not_fit_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(2))
