"""INT4 against torch's rounding to a grid, and what packing has to hold."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.inference import (
    dequantize_int4,
    dequantize_int8,
    pack_int4,
    quantize_int4,
    quantize_int4_zero_point,
    quantize_int8,
    unpack_int4,
)

WAYS = [quantize_int4, quantize_int4_zero_point]


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(
    data=st.data(),
    shape=st.sampled_from([(48,), (3, 48), (2, 3, 48)]),
    group_size=st.sampled_from([2, 4, 6, 12, 16, 24, 48]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_each_number_is_within_half_a_scale(data, shape, group_size, dtype):
    spread, shift = data.draw(st.floats(1e-3, 1e3)), data.draw(st.floats(-5, 5))
    x = (draw(*shape, seed=data.draw(st.integers(0, 99))) * spread + shift).to(dtype)
    for quantize in WAYS:
        packed, scale, *zero_point = quantize(x, group_size=group_size)
        assert packed.shape == (*shape[:-1], 24) and scale.shape == (*shape[:-1], 48 // group_size)
        assert packed.dtype == torch.uint8 and scale.dtype == dtype
        found = dequantize_int4(packed, scale.float(), *zero_point)
        # The scale's own rounding moves the largest code by up to 15 times half a unit in its last place.
        half = 0.5 + 16 * torch.finfo(dtype).eps / 2
        assert ((found - x.float()).abs() <= scale.float().repeat_interleave(group_size, -1) * half + 1e-6).all()
        assert dequantize_int4(packed, scale, *zero_point).dtype == dtype


def test_numbers_are_those_of_torch():
    x = draw(6, 32)
    packed, scale = quantize_int4(x, group_size=32)
    theirs = torch.fake_quantize_per_channel_affine(x, scale[:, 0], torch.zeros(6, dtype=torch.int32), 0, -7, 7)
    torch.testing.assert_close(dequantize_int4(packed, scale), theirs)
    packed, scale, zero_point = quantize_int4_zero_point(x, group_size=32)
    theirs = torch.fake_quantize_per_channel_affine(x, scale[:, 0], zero_point[:, 0].int(), 0, 0, 15)
    torch.testing.assert_close(dequantize_int4(packed, scale, zero_point), theirs)


@given(codes=st.lists(st.integers(0, 15), min_size=2, max_size=64).filter(lambda codes: len(codes) % 2 == 0))
def test_packing_keeps_every_code_and_its_place(codes):
    packed = pack_int4(torch.tensor(codes, dtype=torch.uint8))
    assert packed.tolist() == [low + 16 * high for low, high in zip(codes[::2], codes[1::2], strict=True)]
    assert unpack_int4(packed).tolist() == codes


def test_the_bytes_really_shrink():
    x = draw(64, 256).bfloat16()
    packed, scale = quantize_int4(x, group_size=64)
    assert x.nbytes / (packed.nbytes + scale.nbytes) == pytest.approx(16 / 4.25)


def test_a_group_is_by_itself():
    """A large number spoils its own group, and no other."""
    x = draw(2, 64)
    before = dequantize_int4(*quantize_int4(x, group_size=16))
    x[0, 20] = 1e4
    after = dequantize_int4(*quantize_int4(x, group_size=16))
    assert (after[0, 16:32] == 0).sum() == 15 and after[0, 20] == pytest.approx(1e4)
    after[0, 16:32] = before[0, 16:32]
    assert torch.equal(after, before)


def test_smaller_groups_err_less_and_four_bits_more_than_eight():
    x = draw(64, 512)
    errors = [(dequantize_int4(*quantize_int4(x, group_size=size)) - x).norm().item() for size in (16, 64, 256, 512)]
    assert errors == sorted(errors)
    assert (dequantize_int8(*quantize_int8(x, dim=-1)) - x).norm() < errors[0] / 5


def test_a_zero_point_wins_where_numbers_have_one_sign():
    x = draw(16, 64).abs()
    symmetric, affine = ((dequantize_int4(*quantize(x)) - x).norm() for quantize in WAYS)
    assert affine < 0.6 * symmetric


@pytest.mark.parametrize("quantize", WAYS)
def test_zeros_stay_zeros(quantize):
    x = draw(4, 32) + 3
    x[0], x[1, ::3] = 0, 0
    found = dequantize_int4(*quantize(x, group_size=32))
    assert (found[0] == 0).all() and (found[1, ::3] == 0).all()


@pytest.mark.parametrize("quantize", WAYS)
def test_groups_that_do_not_fit_are_refused(quantize):
    with pytest.raises(ValueError, match=r"group_size is 64 and x has shape \(3, 176\).*such as 44"):
        quantize(torch.ones(3, 176))
    with pytest.raises(ValueError, match=r"group_size is 3 .* even divisor of 9, which has none"):
        quantize(torch.ones(9), group_size=3)
    with pytest.raises(ValueError, match="infinite or NaN"):
        quantize(torch.full((64,), float("nan")))


def test_codes_that_do_not_fit_are_refused():
    for codes in ([1, 2, 3], [1, 16]):
        with pytest.raises(ValueError, match=f"reach {max(codes)}: give an even number, from 0 to 15"):
            pack_int4(torch.tensor(codes, dtype=torch.uint8))
