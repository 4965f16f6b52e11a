"""INT8 against torch's own quantizers, and the laws that both ways obey."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from llmcourse.inference import dequantize_int8, quantize_int8, quantize_int8_zero_point
from llmcourse.inference.int8 import positive

DTYPES = [torch.float32, torch.bfloat16, torch.float16]


def draw(*shape, seed=0, shift=0.0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + shift


def tensors():
    return st.builds(
        lambda seed, rows, columns, spread, shift: draw(rows, columns, seed=seed) * spread + shift,
        *(st.integers(0, 999), st.integers(1, 5), st.integers(1, 40)),
        *(st.floats(1e-3, 1e3), st.floats(-5, 5)),
    )


@given(x=tensors(), dim=st.sampled_from([None, 0, 1, -1]), dtype=st.sampled_from(DTYPES))
def test_each_number_is_within_half_a_scale(x, dim, dtype):
    assume(dtype != torch.float16 or x.abs().max() > 0.1)  # below this a scale in fp16 has lost bits of its mantissa
    x = x.to(dtype)
    for quantized in (quantize_int8(x, dim=dim), quantize_int8_zero_point(x, dim=dim)):
        codes, scale = quantized[:2]
        assert codes.dtype == torch.int8 and scale.dtype == dtype
        found = dequantize_int8(*(part.float() if part is scale else part for part in quantized))
        # A scale in 16 bits is off by up to half a unit in its last place, and so the largest code by 127 or 255 times.
        slack = 256 * torch.finfo(dtype).eps / 2
        assert ((found - x.float()).abs() <= scale.float() * (0.5 + slack) + 1e-6).all()
        assert dequantize_int8(*quantized).dtype == dtype


@given(x=tensors(), dim=st.sampled_from([None, 0, 1]))
def test_absmax_is_symmetric_and_uses_the_whole_range(x, dim):
    codes, scale = quantize_int8(x, dim=dim)
    mirrored, same = quantize_int8(-x, dim=dim)
    assert torch.equal(codes, -mirrored) and torch.equal(scale, same)
    assert (codes.abs().amax(dim if dim is not None else (0, 1)) == 127).all()


@given(x=tensors(), dim=st.sampled_from([None, 0, 1]))
def test_quantizing_twice_changes_nothing(x, dim):
    codes, scale = quantize_int8(x, dim=dim)
    again, rescaled = quantize_int8(dequantize_int8(codes, scale), dim=dim)
    assert torch.equal(codes, again)
    torch.testing.assert_close(scale, rescaled, rtol=1e-6, atol=0)


@pytest.mark.parametrize("dim", [0, 1])
def test_numbers_are_those_of_torch(dim):
    x = draw(6, 50, shift=0.3)
    codes, scale = quantize_int8(x, dim=dim)
    zeros = torch.zeros(x.shape[1 - dim], dtype=torch.int32)
    theirs = torch.fake_quantize_per_channel_affine(x, scale.flatten(), zeros, 1 - dim, -127, 127)
    torch.testing.assert_close(dequantize_int8(codes, scale), theirs)
    codes, scale, zero_point = quantize_int8_zero_point(x)
    theirs = torch.fake_quantize_per_tensor_affine(x, scale, zero_point.int(), -128, 127)
    torch.testing.assert_close(dequantize_int8(codes, scale, zero_point), theirs)


def test_zero_stays_zero_and_the_ends_are_reached():
    for shift in (-5.0, 0.0, 5.0):
        x = torch.cat([draw(100, shift=shift), torch.zeros(1)])
        codes, scale, zero_point = quantize_int8_zero_point(x)
        assert dequantize_int8(codes, scale, zero_point)[-1] == 0
        assert codes.min() == -128 and codes.max() == 127


def test_numbers_of_one_sign_get_steps_half_as_wide():
    x = draw(1000).abs()
    assert quantize_int8_zero_point(x)[1] / quantize_int8(x)[1] == pytest.approx(127 / 255, rel=1e-5)


def test_channels_with_scales_of_their_own_do_not_drown():
    x = draw(4, 64) * torch.tensor([[1e-3], [1.0], [10.0], [1e3]])
    whole, rows = (dequantize_int8(*quantize_int8(x, dim=dim)) for dim in (None, -1))
    assert (whole[0] == 0).all()
    assert ((rows - x).norm(dim=1) / x.norm(dim=1) < 0.01).all()


def test_halves_go_to_the_even_neighbour_and_nothing_towards_zero():
    x = torch.tensor([127.0, 0.5, 1.5, 2.5, -0.5, -1.5, 2.9, -2.9])
    assert quantize_int8(x)[0].tolist() == [127, 0, 2, 2, 0, -2, 3, -3]


def test_zeros_are_no_division_by_zero():
    x = torch.zeros(2, 3)
    for quantized in (quantize_int8(x, dim=1), quantize_int8_zero_point(x)):
        assert torch.equal(dequantize_int8(*quantized), x)
    tiny = torch.full((2, 3), 6e-8, dtype=torch.float16)  # its scale is below what fp16 can hold
    assert dequantize_int8(*quantize_int8(tiny)).isfinite().all()
    assert positive(torch.tensor([0.0, 2.0])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("quantize", [quantize_int8, quantize_int8_zero_point])
def test_what_has_no_scale_is_refused(quantize):
    with pytest.raises(ValueError, match="2 numbers that are infinite or NaN"):
        quantize(torch.tensor([1.0, float("inf"), float("nan")]))
    for x in (torch.zeros(0), torch.ones(3, dtype=torch.long)):
        with pytest.raises(ValueError, match=rf"shape \({x.numel()},\) and dtype {x.dtype}"):
            quantize(x)
