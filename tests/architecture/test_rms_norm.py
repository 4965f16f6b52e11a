import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from llmcourse.architecture import RMSNorm, rms_norm

SHAPES = [(3,), (5, 7), (2, 3, 16), (2, 4, 5, 123)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("trained", [False, True])
def test_as_torch(shape, trained):
    x, weight = torch.randn(shape), torch.rand(shape[-1]).requires_grad_(trained)
    torch.testing.assert_close(
        rms_norm(x, weight, eps=1e-6), functional.rms_norm(x, shape[-1:], weight, 1e-6), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_as_autograd_finds_them(shape):
    x, weight = torch.randn(shape, requires_grad=True), torch.rand(shape[-1], requires_grad=True)
    grad = torch.randn(shape)
    ours = torch.autograd.grad(rms_norm(x, weight, eps=1e-5), (x, weight), grad)
    theirs = torch.autograd.grad(functional.rms_norm(x, shape[-1:], weight, 1e-5), (x, weight), grad)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_first_and_second_derivative_in_float64():
    x, weight = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True), torch.rand(5, dtype=torch.float64)
    weight.requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: rms_norm(a, b, eps=1e-5), (x, weight))
    assert torch.autograd.gradgradcheck(lambda a, b: rms_norm(a, b, eps=1e-5), (x, weight))


def test_bf16_takes_its_statistics_in_fp32():
    # bf16 has 8 bits: the result is rounded once, to half a unit of 2^-8. Summed in bf16 the mean square would stop
    # growing at 256 equal terms, and the result be twice too large.
    x, weight = torch.full((1, 4096), 1.5, dtype=torch.bfloat16), torch.ones(4096, dtype=torch.bfloat16)
    torch.testing.assert_close(rms_norm(x, weight), torch.ones_like(x), rtol=2**-8, atol=0)
    x = torch.randn(8, 64).bfloat16()
    exact = functional.rms_norm(x.float(), (64,), eps=1e-6)
    assert rms_norm(x, torch.ones(64)).dtype == torch.bfloat16
    torch.testing.assert_close(rms_norm(x, torch.ones(64)).float(), exact, rtol=2**-8, atol=0)


@settings(max_examples=25)
@given(st.floats(0.01, 100), st.integers(0, 1000))
def test_the_scale_of_a_vector_does_not_matter(scale, seed):
    x = torch.randn(4, 9, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    weight = torch.ones(9, dtype=torch.float64)
    torch.testing.assert_close(rms_norm(scale * x, weight, eps=0.0), rms_norm(x, weight, eps=0.0))
    assert rms_norm(x, weight, eps=0.0).square().mean(-1).allclose(torch.ones(4, dtype=torch.float64))


def test_zeros_stay_zeros_with_finite_gradients():
    x, weight = torch.zeros(2, 4, requires_grad=True), torch.ones(4, requires_grad=True)
    rms_norm(x, weight).sum().backward()
    assert rms_norm(x, weight).eq(0).all() and x.grad.isfinite().all() and weight.grad.isfinite().all()


def test_the_mean_is_not_taken_away():
    assert rms_norm(torch.full((1, 4), 3.0), torch.ones(4)).allclose(torch.ones(4))


def test_module_and_refusal():
    module = RMSNorm(6, eps=1e-3)
    x = torch.randn(2, 6)
    assert torch.equal(module(x), rms_norm(x, module.weight, eps=1e-3)) and "eps=0.001" in repr(module)
    with pytest.raises(ValueError, match=r"weight has shape \(5,\) and x \(2, 6\)"):
        rms_norm(x, torch.ones(5))
