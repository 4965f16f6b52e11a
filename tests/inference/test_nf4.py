"""NF4's table against bitsandbytes' and scipy's quantiles, its codes against a search, and double quantization."""

import math

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.inference import (
    dequantize_absmax,
    dequantize_int4,
    dequantize_nf4,
    normal_float_values,
    quantize_absmax,
    quantize_int4,
    quantize_int4_zero_point,
    quantize_nf4,
    unpack_int4,
)

# As bitsandbytes prints them.
BITSANDBYTES = [
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635),
    *(-0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725),
    *(0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
]


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_values_are_those_of_bitsandbytes():
    assert normal_float_values().tolist() == BITSANDBYTES


def test_values_are_quantiles_at_equal_steps_of_probability():
    values = normal_float_values().double()
    widest = scipy.stats.norm.ppf(0.9677083)
    chances = scipy.stats.norm.cdf(values.numpy() * widest)
    for half in (chances[:8], chances[7:]):
        steps = half[1:] - half[:-1]
        assert steps == pytest.approx([steps.mean()] * len(steps), rel=1e-5)
    assert (values < 0).sum() == 7 and (values == 0).sum() == 1 and (values > 0).sum() == 8


@pytest.mark.parametrize("bits", range(2, 9))
def test_any_number_of_bits_has_one_positive_value_more(bits):
    values = normal_float_values(bits)
    assert len(values) == 2**bits and values.min() == -1 and values.max() == 1 and (values.diff() > 0).all()
    assert (values > 0).sum() == 2 ** (bits - 1) and (values < 0).sum() == 2 ** (bits - 1) - 1
    with pytest.raises(ValueError, match="bits is 9: give 2 to 8"):
        normal_float_values(9)


@given(seed=st.integers(0, 999), spread=st.floats(1e-3, 1e3), block_size=st.sampled_from([4, 16, 64]))
def test_each_code_is_the_nearest(seed, spread, block_size):
    x = draw(3, 64, seed=seed) * spread
    packed, absmax = quantize_nf4(x, block_size=block_size)
    blocks = x.view(3, -1, block_size)
    torch.testing.assert_close(absmax, blocks.abs().amax(-1), rtol=0, atol=0)
    distances = (blocks[..., None] - normal_float_values() * absmax[..., None, None]).abs()
    codes = unpack_int4(packed).view(blocks.shape).long()
    chosen = distances.gather(-1, codes[..., None])[..., 0]
    assert (chosen <= distances.amin(-1) * (1 + 1e-5) + 1e-7 * spread).all()
    found = dequantize_nf4(packed, absmax)
    torch.testing.assert_close((found - x).abs().view(blocks.shape), chosen, rtol=1e-5, atol=1e-6 * spread)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_quantized_already_stays(dtype):
    x = draw(4, 128).to(dtype)
    once = dequantize_nf4(*quantize_nf4(x))
    assert once.dtype == dtype
    assert torch.equal(dequantize_nf4(*quantize_nf4(once)), once)
    torch.testing.assert_close(once, x, rtol=0, atol=0.152 * float(x.abs().max()) + 0.02)  # half the widest step


@pytest.mark.parametrize(("block_size", "squared_wins", "mean_wins"), [(128, True, True), (32, False, True)])
def test_normal_weights_err_less_than_on_an_even_grid_in_large_blocks(block_size, squared_wins, mean_wins):
    x = draw(256, 512)
    ours = dequantize_nf4(*quantize_nf4(x, block_size=block_size)) - x
    affine = dequantize_int4(*quantize_int4_zero_point(x, group_size=block_size)) - x
    assert (ours.norm() < affine.norm()) == squared_wins and (ours.abs().mean() < affine.abs().mean()) == mean_wins
    symmetric = dequantize_int4(*quantize_int4(x, group_size=block_size)) - x
    assert ours.norm() < 0.95 * symmetric.norm()


def test_signs_matter_since_the_table_is_not_symmetric():
    values = normal_float_values()
    assert not torch.equal(values, -values.flip(0))
    x = torch.tensor([1.0, 0.0796, -0.0796, 0.0])
    found = dequantize_nf4(*quantize_nf4(x, block_size=4))
    assert found[1] != -found[2] and found[3] == 0 and found[0] == 1


@given(n_blocks=st.integers(1, 600), block_size=st.sampled_from([1, 16, 256]), seed=st.integers(0, 99))
def test_double_quantization_errs_by_half_a_step_of_its_own(n_blocks, block_size, seed):
    absmax = draw(n_blocks, seed=seed).abs() + 0.5
    codes, scale, mean = quantize_absmax(absmax, block_size=block_size)
    assert codes.dtype == torch.int8 and scale.shape == (math.ceil(n_blocks / block_size),)
    found = dequantize_absmax(codes, scale, mean, block_size=block_size)
    steps = scale.repeat_interleave(block_size)[:n_blocks]
    assert ((found - absmax).abs() <= steps / 2 + 1e-6).all() and (found >= 0).all()


def test_bits_are_those_of_the_paper():
    x = draw(512, 1024)
    packed, absmax = quantize_nf4(x)
    once = 8 * (packed.nbytes + absmax.nbytes) / x.numel()
    codes, scale, mean = quantize_absmax(absmax)
    twice = 8 * (packed.nbytes + codes.nbytes + scale.nbytes) / x.numel()
    assert once == 4.5 and twice == 4 + 8 / 64 + 32 / (64 * 256) == pytest.approx(4.127, abs=1e-3)
    exact, doubled = (dequantize_nf4(packed, a) for a in (absmax, dequantize_absmax(codes, scale, mean)))
    assert (doubled - x).norm() < 1.001 * (exact - x).norm()


def test_a_block_of_zeros_is_no_division_by_zero():
    x = draw(2, 64)
    x[1] = 0
    packed, absmax = quantize_nf4(x, block_size=32)
    assert (unpack_int4(packed)[1] == 7).all() and (dequantize_nf4(packed, absmax)[1] == 0).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"group_size is 64 and x has shape \(2, 96\)"):
        quantize_nf4(torch.ones(2, 96))
    with pytest.raises(ValueError, match="block_size is 0"):
        quantize_absmax(torch.ones(3), block_size=0)
