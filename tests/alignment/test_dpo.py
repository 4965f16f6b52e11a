"""DPO: closed forms, far margins, the optimum that each variant has, and settings out of range."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import bradley_terry_loss, dpo_loss, implicit_rewards, reward_accuracy

FOUR = st.tuples(*(st.floats(-50, 0) for _ in range(4)))


def tensors(four, dtype=torch.float64):
    return [torch.tensor([value], dtype=dtype) for value in four]


@given(four=FOUR, beta=st.floats(0.01, 1), smoothing=st.sampled_from([0.0, 0.1, 0.4]))
def test_it_is_the_mixture_of_both_ways_round(four, beta: float, smoothing: float) -> None:
    pc, pr, rc, rr = four
    odds = math.exp(beta * (pc - pr - rc + rr))
    expected = (1 - smoothing) * math.log1p(1 / odds) + smoothing * math.log1p(odds)
    found = dpo_loss(*tensors(four), beta=beta, label_smoothing=smoothing)
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    ipo = dpo_loss(*tensors(four), beta=beta, variant="ipo")
    assert float(ipo) == pytest.approx((pc - pr - rc + rr - 1 / (2 * beta)) ** 2, rel=1e-6, abs=1e-9)


@given(four=FOUR, beta=st.floats(0.01, 1))
def test_it_is_bradley_and_terry_on_implicit_rewards(four, beta: float) -> None:
    pc, pr, rc, rr = tensors(four)
    rewards = implicit_rewards(pc, rc, beta=beta), implicit_rewards(pr, rr, beta=beta)
    torch.testing.assert_close(dpo_loss(pc, pr, rc, rr, beta=beta), bradley_terry_loss(*rewards))


def test_the_first_loss_is_ln_2_and_its_gradient_half_beta() -> None:
    policy = torch.tensor([-40.0, -1.0], requires_grad=True)
    rejected = torch.tensor([-7.0, -300.0])
    loss = dpo_loss(policy, rejected, policy, rejected, beta=0.3)
    assert loss.tolist() == pytest.approx([math.log(2)] * 2)
    (gradient,) = torch.autograd.grad(loss.sum(), policy)  # the reference is frozen, or this would be 0
    assert gradient.tolist() == pytest.approx([-0.15] * 2)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}, {"variant": "ipo"}])
def test_far_margins_and_gradients(options) -> None:
    leaf = torch.tensor([1e3, -1e3], requires_grad=True)
    zero = torch.zeros(2)
    loss = dpo_loss(leaf, zero, zero, zero, beta=1.0, **options)
    (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    assert bool(loss.isfinite().all()) and bool(gradient.isfinite().all())
    if not options:
        assert loss.tolist() == [0, 1000] and gradient.tolist() == [0, -1]
    generator = torch.Generator().manual_seed(0)
    four = [torch.randn(5, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(4)]
    reference = [one.detach() for one in four[2:]]
    assert torch.autograd.gradcheck(lambda a, b: dpo_loss(a, b, *reference, **options), tuple(four[:2]))


@pytest.mark.parametrize("options", [{"label_smoothing": 0.1}, {"variant": "ipo"}])
@pytest.mark.parametrize("beta", [0.2, 0.5])
def test_these_variants_have_an_optimum_and_a_greater_beta_one_that_is_nearer(options, beta: float) -> None:
    margin = torch.tensor([0.0], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(1, dtype=torch.float64)
    optimizer = torch.optim.LBFGS([margin], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = dpo_loss(margin, zero, zero, zero, beta=beta, **options).sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    expected = 1 / (2 * beta) if "variant" in options else math.log(0.9 / 0.1) / beta
    assert margin.item() == pytest.approx(expected, rel=1e-4)


def test_bf16_is_computed_in_fp32() -> None:
    four = [value.bfloat16() for value in tensors((-100.0, -101.0, -100.0, -100.5), torch.float32)]
    found = dpo_loss(*four)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, dpo_loss(*(one.float() for one in four)))


def test_accuracy_measures_from_the_reference_and_leaves_ties_out() -> None:
    pc, pr = torch.tensor([-5.0, -5.0, -8.0]), torch.tensor([-9.0, -6.0, -7.0])
    rc, rr = torch.tensor([-5.0, -3.0, -9.0]), torch.tensor([-9.0, -6.0, -7.0])
    assert reward_accuracy(pc, pr, rc, rr) == pytest.approx(1 / 3)
    assert not implicit_rewards(pc.requires_grad_(), rc).requires_grad


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 0.0}, r"beta is 0\.0"),
        ({"label_smoothing": 0.5}, r"label_smoothing is 0\.5"),
        ({"variant": "hinge"}, "variant is 'hinge'"),
        ({"variant": "ipo", "label_smoothing": 0.1}, "which 'ipo' does not have"),
    ],
)
def test_settings_out_of_range_are_refused(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dpo_loss(*tensors((0.0, 0.0, 0.0, 0.0)), **options)


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"policy_chosen is \(2,\) and reference_chosen \(1,\)"):
        dpo_loss(torch.zeros(2), torch.zeros(2), torch.zeros(1), torch.zeros(2))
