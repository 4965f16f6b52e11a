"""Products of integers against a loop, and outliers that would drown all else."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from llmcourse.inference import Int8Linear, int8_linear, quantize_int8


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_outliers(n=32, width=128, features=(3, 70), size=60.0):
    x = draw(n, width)
    x[:, list(features)] += size
    return x


@settings(max_examples=25)
@given(seed=st.integers(0, 99), n=st.integers(1, 4), width=st.integers(1, 12), outputs=st.integers(1, 4))
def test_the_product_is_that_of_integers_one_by_one(seed, n, width, outputs):
    x, weight = 4 * draw(n, width, seed=seed), draw(outputs, width, seed=seed + 1)
    codes, scale = quantize_int8(weight, dim=-1)
    found = int8_linear(x, codes, scale, outlier_threshold=5.0)
    outlier = [any(abs(float(x[i, j])) >= 5 for i in range(n)) for j in range(width)]
    for i in range(n):
        largest = max((abs(float(x[i, j])) for j in range(width) if not outlier[j]), default=0.0)
        step = largest / 127 or 1.0
        for o in range(outputs):
            total = sum(
                round(float(x[i, j]) / step) * int(codes[o, j]) * step * float(scale[o, 0])
                if not outlier[j]
                else float(x[i, j]) * int(codes[o, j]) * float(scale[o, 0])
                for j in range(width)
            )
            assert float(found[i, o]) == pytest.approx(total, rel=1e-4, abs=2 * step * float(scale.max()) * 127 * 1e-2)


def test_sums_beyond_what_fp32_holds_are_exact():
    """Of 3,001 products of 127 * 127 the sum is odd and above 2**24."""
    x, weight = torch.ones(1, 3001), torch.ones(1, 3001)
    codes, scale = quantize_int8(weight, dim=-1)
    assert int(codes.sum()) == 3001 * 127
    assert int8_linear(x, codes, scale).item() == pytest.approx(3001, rel=1e-6)


def test_outliers_taken_out_leave_the_rest_its_precision():
    x, weight = with_outliers(), draw(64, 128, seed=1) / 128**0.5
    codes, scale = quantize_int8(weight, dim=-1)
    plain, mixed = (int8_linear(x, codes, scale, outlier_threshold=t) for t in (None, 6.0))
    of_codes = x @ (codes * scale).T  # weights are rounded in both: what is left is what activations lose
    assert (mixed - of_codes).norm() < (plain - of_codes).norm() / 10
    assert (mixed - x @ weight.T).norm() < (plain - x @ weight.T).norm() / 2
    # Without the two features both ways are the same.
    x[:, [3, 70]] = 0
    found = [int8_linear(x, codes, scale, outlier_threshold=t) for t in (None, 6.0)]
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_is_near_the_linear_one(dtype, bias):
    torch.manual_seed(0)
    linear = nn.Linear(128, 64, bias=bias, dtype=dtype)
    layer, x = Int8Linear(linear), with_outliers().view(4, 8, 128).to(dtype)
    found, expected = layer(x), linear(x)
    assert found.shape == expected.shape and found.dtype == dtype
    assert (found - expected).float().norm() / expected.float().norm() < (0.01 if dtype == torch.float32 else 0.02)
    assert 4 * sum(buffer.nbytes for buffer in layer.buffers()) < 1.2 * 4 * 128 * 64


def test_each_token_has_its_own_scale():
    """A loud token takes nothing from a quiet one."""
    quiet, weight = draw(1, 64), draw(8, 64, seed=1)
    codes, scale = quantize_int8(weight, dim=-1)
    alone = int8_linear(quiet, codes, scale, outlier_threshold=None)
    together = int8_linear(torch.cat([quiet, 1e4 * quiet]), codes, scale, outlier_threshold=None)
    torch.testing.assert_close(together[:1], alone)
    torch.testing.assert_close(together[1:], 1e4 * alone)


def test_where_all_are_outliers_nothing_is_rounded_but_weights():
    x, weight = 50 + draw(3, 16).abs(), draw(8, 16, seed=1)
    codes, scale = quantize_int8(weight, dim=-1)
    torch.testing.assert_close(int8_linear(x, codes, scale), x @ (codes * scale).T)


def test_a_threshold_that_makes_no_sense_is_refused():
    codes, scale = quantize_int8(torch.ones(2, 3), dim=-1)
    with pytest.raises(ValueError, match=r"outlier_threshold is 0\.0: give more than 0, or None"):
        int8_linear(torch.ones(1, 3), codes, scale, outlier_threshold=0.0)
