"""Blocks against the ``gguf`` package: the same bytes, and the same numbers from them."""

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.inference.gguf_blocks import GGUF_TYPES, dequantize_blocks, quantize_blocks

TYPES = list(GGUF_TYPES)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def theirs(type):
    return getattr(gguf.GGMLQuantizationType, type)


def test_sizes_and_numbers_are_those_of_the_package():
    for name, kind in GGUF_TYPES.items():
        assert kind.number == theirs(name)
        assert (kind.block_size, kind.block_bytes) == gguf.GGML_QUANT_SIZES[theirs(name)]
    assert {name: kind.bits for name, kind in GGUF_TYPES.items()} == {
        "F32": 32,
        "F16": 16,
        "Q4_0": 4.5,
        "Q8_0": 8.5,
        "Q4_K": 4.5,
    }


@given(
    seed=st.integers(0, 9999),
    spread=st.floats(1e-4, 1e3),
    shift=st.floats(-3, 3),
    type=st.sampled_from(["F32", "F16", "Q8_0", "Q4_0"]),
)
def test_bytes_are_those_of_the_package(seed, spread, shift, type):
    x = spread * (draw(3, 64, seed=seed) + shift)
    expected = gguf.quantize(x.numpy(), theirs(type)).view(np.uint8)
    assert np.array_equal(quantize_blocks(x, type).numpy(), expected)


@pytest.mark.parametrize("type", ["Q8_0", "Q4_0"])
@pytest.mark.parametrize("case", ["zeros", "halves", "ties", "tiny", "one", "negative"])
def test_bytes_are_the_same_where_rounding_is_close(type, case):
    x = {
        "zeros": torch.zeros(64),
        "halves": torch.cat([torch.tensor([127.0, -8.0]), torch.arange(62) / 2 - 15.5]),
        "ties": torch.cat([torch.tensor([2.0, -2.0]), draw(30).clamp(-1, 1), torch.tensor([-2.0, 2.0]), draw(30) / 9]),
        "tiny": draw(64) * 1e-7,
        "one": torch.eye(64)[5],
        "negative": -draw(64).abs(),
    }[case]
    expected = gguf.quantize(x.numpy(), theirs(type))
    assert np.array_equal(quantize_blocks(x, type).numpy(), expected)


@given(seed=st.integers(0, 9999), type=st.sampled_from(TYPES))
def test_any_bytes_are_the_numbers_of_the_package(seed, type):
    kind = GGUF_TYPES[type]
    data = torch.randint(256, (4, 2 * kind.block_bytes), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    found = dequantize_blocks(data, type)
    as_stored = data.numpy() if type not in ("F32", "F16") else data.numpy().view(getattr(np, f"float{int(kind.bits)}"))
    with np.errstate(all="ignore"):  # among any bytes are scales that are infinite
        expected = gguf.dequantize(as_stored, theirs(type))
    np.testing.assert_array_equal(found.numpy(), expected)


@given(seed=st.integers(0, 9999), spread=st.floats(1e-2, 1e2), shift=st.floats(-3, 3))
def test_errors_of_q4_k_are_bounded(seed, spread, shift):
    """A step where the search cuts an end off, half a step on the whole, and what 6 bits leave of scale and offset."""
    x = spread * (draw(2, 512, seed=seed) + shift)
    data = quantize_blocks(x, "Q4_K")
    found = torch.from_numpy(gguf.dequantize(data.numpy(), theirs("Q4_K")))
    parts = x.view(4, 8, 32)
    low, high = parts.amin(2).clamp(max=0), parts.amax(2)
    step = (high - low).clamp(min=0) / 15
    slack = step.amax(1, keepdim=True) / 63 * 8 + -low.amin(1, keepdim=True) / 63 / 2 + 1e-3 * spread
    error = (found - x).view(4, 8, 32)
    assert (error.abs().amax(2) <= 1.2 * step + slack).all()
    assert (error.square().mean(2).sqrt() <= step / 2 + slack).all()


def test_q4_k_errs_less_than_q4_0_at_equal_bits():
    x = draw(64, 1024)
    errors = {type: (dequantize_blocks(quantize_blocks(x, type), type) - x).norm() / x.norm() for type in TYPES}
    assert errors["F32"] == 0 and errors["F16"] < 1e-3 and errors["Q8_0"] < 0.006
    assert errors["Q4_K"] < 0.86 * errors["Q4_0"] < 0.1


@pytest.mark.parametrize("type", TYPES)
def test_zeros_and_shapes_stay(type):
    for shape in ((256,), (3, 512), (2, 3, 256)):
        assert dequantize_blocks(quantize_blocks(torch.zeros(shape), type), type).shape == shape
    assert (dequantize_blocks(quantize_blocks(torch.zeros(2, 256), type), type) == 0).all()
    assert dequantize_blocks(quantize_blocks(torch.ones(256).bfloat16(), type), type).dtype == torch.float32


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="type is 'Q5_K': choose one of F32, F16, Q4_0, Q8_0, Q4_K"):
        quantize_blocks(torch.ones(256), "Q5_K")
    with pytest.raises(ValueError, match=r"x has shape \(2, 100\): in Q8_0 a row is a multiple of 32 numbers"):
        quantize_blocks(torch.ones(2, 100), "Q8_0")
    with pytest.raises(ValueError, match=r"data has shape \(33,\): a block of Q8_0 has 34 bytes"):
        dequantize_blocks(torch.zeros(33, dtype=torch.uint8), "Q8_0")
    with pytest.raises(ValueError, match="infinite or NaN"):
        quantize_blocks(torch.full((32,), float("nan")), "Q8_0")
    with pytest.raises(ValueError, match=r"a scale of 7\.87e\+05 is more than fp16 holds"):
        quantize_blocks(torch.full((32,), 1e8), "Q8_0")
