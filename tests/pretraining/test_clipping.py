"""Clipping: against torch's, and that it keeps the direction."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import clip_grad_norm


def parameters_with(seed: int, scale: float, dtype: torch.dtype = torch.float32) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    parameters = [torch.nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in [(3, 4), (5,), (1,), (2, 2)]]
    for parameter in parameters[:-1]:  # the last has no gradient
        parameter.grad = (scale * torch.randn(parameter.shape, generator=generator)).to(dtype)
    return parameters


@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), max_norm=st.floats(1e-2, 10))
def test_it_does_what_torch_does(seed: int, scale: float, max_norm: float) -> None:
    ours, theirs = parameters_with(seed, scale), parameters_with(seed, scale)
    norm = clip_grad_norm(ours, max_norm)
    assert float(norm) == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, max_norm)), rel=1e-5)
    for one, other in zip(ours[:-1], theirs[:-1], strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-9)  # torch adds 1e-6 to the norm
    after = torch.cat([p.grad.flatten() for p in ours[:-1] if p.grad is not None]).norm()
    assert float(after) <= max_norm * (1 + 1e-5)
    assert ours[-1].grad is None


def test_small_gradients_stay_bit_for_bit() -> None:
    parameters, before = parameters_with(0, 1e-3), parameters_with(0, 1e-3)
    clip_grad_norm(iter(parameters), 1.0)
    assert all(torch.equal(p.grad, q.grad) for p, q in zip(parameters[:-1], before[:-1], strict=True))


def test_norms_of_bf16_gradients_are_summed_in_fp32() -> None:
    parameter = torch.nn.Parameter(torch.zeros(100_000, dtype=torch.bfloat16))
    parameter.grad = torch.full((100_000,), 0.5, dtype=torch.bfloat16)
    assert float(clip_grad_norm(parameter, 1e9)) == pytest.approx(0.5 * 100_000**0.5, rel=1e-5)


def test_zero_gradients_and_none_at_all() -> None:
    parameter = torch.nn.Parameter(torch.zeros(3))
    assert float(clip_grad_norm([parameter], 1.0)) == 0.0
    parameter.grad = torch.zeros(3)
    assert float(clip_grad_norm([parameter], 1.0)) == 0.0
    assert torch.equal(parameter.grad, torch.zeros(3))


def test_a_norm_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match=r"max_norm is 0\.0"):
        clip_grad_norm([], 0.0)
