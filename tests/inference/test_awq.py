"""AWQ finds the best power of its grid, which is tried out one by one, and never does worse than rounding."""

import pytest
import torch

from llmcourse.inference import QuantizedLinear, awq, dequantize_int4, quantize_int4_zero_point


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_large_features(n=200, width=128, seed=0):
    x = draw(n, width, seed=seed)
    x[:, [3, 40, 90]] *= 25
    return x


def output_error(weight, x, parts, s):
    return float(((x / s) @ dequantize_int4(*parts).T - x @ weight.T).double().square().mean())


def try_power(weight, x, power, group_size):
    s = x.abs().mean(0) ** power
    s = s / (s.max() * s.min()) ** 0.5
    return output_error(weight, x, quantize_int4_zero_point(weight * s, group_size=group_size), s)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("group_size", "n_grid"), [(32, 20), (128, 7)])
def test_the_power_is_the_best_of_the_grid(seed, group_size, n_grid):
    weight, x = draw(16, 128, seed=seed + 9), with_large_features(seed=seed)
    errors = [try_power(weight, x, step / n_grid, group_size) for step in range(n_grid + 1)]
    found = output_error(weight, x, *awq(weight, x, group_size=group_size, n_grid=n_grid))
    assert found == pytest.approx(min(errors), rel=1e-4)
    assert found < 0.6 * errors[0]  # power 0 rounds to the nearest


def test_nothing_is_gained_where_all_inputs_are_alike():
    weight, x = draw(16, 64), torch.ones(50, 64) * draw(50, 1).sign()
    parts, s = awq(weight, x)
    assert torch.equal(s, torch.ones(64))
    for found, expected in zip(parts, quantize_int4_zero_point(weight), strict=True):
        assert torch.equal(found, expected)


def test_large_features_are_protected():
    weight, x = draw(16, 128), with_large_features()
    (packed, scale, zero_point), s = awq(weight, x)
    error = ((dequantize_int4(packed, scale, zero_point) / s - weight).square()).mean(0)
    nearest = (dequantize_int4(*quantize_int4_zero_point(weight)) - weight).square().mean(0)
    assert (error[[3, 40, 90]] < 0.5 * nearest[[3, 40, 90]]).all()
    assert error.mean() > nearest.mean()  # others pay


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_result_is_what_a_quantized_layer_takes(dtype):
    weight, x = draw(16, 128).to(dtype), with_large_features().to(dtype).view(4, 50, 128)
    x[..., 7] = 0
    parts, s = awq(weight, x)
    layer = QuantizedLinear(parts, format="int4_zero_point", input_scale=s)
    assert s.dtype == dtype and s.isfinite().all() and (s > 0).all()
    exact = (x @ weight.T).float()
    nearest = QuantizedLinear(quantize_int4_zero_point(weight), format="int4_zero_point")
    assert (layer(x).float() - exact).norm() < 0.75 * (nearest(x).float() - exact).norm()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"weight has shape \(2, 64\) and inputs \(3, 32\)"):
        awq(torch.ones(2, 64), torch.ones(3, 32))
    with pytest.raises(ValueError, match="n_grid is 0"):
        awq(torch.ones(2, 64), torch.ones(3, 64), n_grid=0)
    with pytest.raises(ValueError, match="infinite or NaN"):
        awq(torch.ones(2, 64), torch.full((3, 64), float("inf")))
    with pytest.raises(ValueError, match="no power gives a finite error"):
        awq(torch.full((2, 64), 1e38), torch.full((3, 64), 1e38))
