"""GPTQ against Optimal Brain Quantization written out: an inverse for each column, and no Cholesky."""

import pytest
import torch

from llmcourse.inference import (
    QuantizedLinear,
    dequantize_int4,
    gptq,
    quantize_int4_zero_point,
    unpack_int4,
)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def correlated(n, width, *, rank=12, seed=0):
    return draw(n, rank, seed=seed) @ draw(rank, width, seed=seed + 1) + 0.3 * draw(n, width, seed=seed + 2)


def literal_obq(weight, inputs, *, group_size, damping, order):
    """Round column by column; the inverse of what is left of H is taken anew for each."""
    weight, inputs = weight.double().clone(), inputs.double()
    n = weight.shape[1]
    hessian = inputs.T @ inputs
    hessian += damping * hessian.diagonal().mean() * torch.eye(n, dtype=torch.double)
    original, codes, grid = weight.clone(), torch.zeros_like(weight), {}
    left = list(order)
    while left:
        j = left[0]
        group = j // group_size
        if group not in grid:
            first = group * group_size
            source = weight if list(order) == list(range(n)) else original
            part = source[:, first : first + group_size]
            low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
            scale = (high - low) / 15
            grid[group] = scale, (-low / scale).round()
        scale, zero = grid[group]
        codes[:, j] = ((weight[:, j] / scale).round() + zero).clamp(0, 15)
        error = weight[:, j] - (codes[:, j] - zero) * scale
        inverse = torch.linalg.inv(hessian[left][:, left])
        weight[:, left] -= error[:, None] * inverse[0] / inverse[0, 0]
        left = left[1:]
    return codes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("act_order", [False, True])
@pytest.mark.parametrize("group_size", [8, 32])
def test_codes_are_those_of_optimal_brain_quantization(seed, act_order, group_size):
    weight, x = draw(5, 32, seed=seed), correlated(100, 32, seed=seed)
    order = x.square().sum(0).argsort(descending=True).tolist() if act_order else list(range(32))
    expected = literal_obq(weight, x, group_size=group_size, damping=0.01, order=order)
    packed, _, _ = gptq(weight, x, group_size=group_size, act_order=act_order)
    assert torch.equal(unpack_int4(packed).double(), expected)


def test_many_blocks_of_columns_give_the_same():
    """Columns beyond a block are brought up to date in one product."""
    weight, x = draw(3, 320), correlated(600, 320)
    expected = literal_obq(weight, x, group_size=32, damping=0.1, order=range(320))
    packed, _, _ = gptq(weight, x, group_size=32, damping=0.1)
    found = unpack_int4(packed).double()
    assert (found != expected).double().mean() < 0.003  # fp32 may tip a column that lies halfway, and what follows it
    packed, scale, zero_point = gptq(weight, x, group_size=160, damping=0.1)
    assert scale.shape == zero_point.shape == (3, 2)


@pytest.mark.parametrize("act_order", [False, True])
def test_independent_inputs_leave_rounding_to_the_nearest(act_order):
    weight, x = draw(6, 64), torch.diag(draw(64).abs() + 0.1)
    for found, expected in zip(gptq(weight, x, act_order=act_order), quantize_int4_zero_point(weight), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("seed", range(4))
def test_outputs_err_less_than_by_rounding_to_the_nearest(seed):
    weight, x = draw(32, 128, seed=seed), correlated(400, 128, rank=30, seed=seed)
    fresh = correlated(400, 128, rank=30, seed=seed)  # the same directions
    ways = [quantize_int4_zero_point(weight), gptq(weight, x), gptq(weight, x, act_order=True)]
    nearest, made_up, ordered = ((fresh @ (dequantize_int4(*way) - weight).T).norm() for way in ways)
    assert made_up < 0.8 * nearest and ordered < 0.8 * nearest
    errors = [(dequantize_int4(*way) - weight).norm() for way in ways]
    assert errors[0] < min(errors[1:])  # the weights themselves are further off


def test_act_order_helps_where_few_features_are_large():
    size = torch.linspace(3, -3, 128).exp()[torch.randperm(128, generator=torch.Generator().manual_seed(1))]
    better = 0
    for seed in range(8):
        weight, x = draw(16, 128, seed=seed), correlated(400, 128, rank=40, seed=seed) * size
        plain, ordered = (
            (x @ (dequantize_int4(*gptq(weight, x, group_size=128, act_order=flag)) - weight).T).norm()
            for flag in (False, True)
        )
        better += int(ordered < plain)
    assert better >= 7


def test_features_that_are_always_zero_do_no_harm():
    weight, x = draw(4, 64), correlated(200, 64)
    x[:, 5] = 0
    packed, scale, zero_point = gptq(weight, x, act_order=True)
    assert dequantize_int4(packed, scale, zero_point)[:, 5].abs().max() == 0
    assert gptq(weight, torch.zeros(3, 64))[0].shape == (4, 32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_result_is_what_a_quantized_layer_takes(dtype):
    weight, x = draw(16, 128).to(dtype), correlated(300, 128).to(dtype).view(3, 100, 128)
    before = weight.clone()
    layer = QuantizedLinear(gptq(weight, x), format="int4_zero_point")
    assert torch.equal(weight, before)
    assert layer.dequantize().dtype == dtype
    error = (layer(x) - x @ weight.T).float().norm() / (x @ weight.T).float().norm()
    assert error < 0.06


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"weight has shape \(2, 64\) and inputs \(3, 32\)"):
        gptq(torch.ones(2, 64), torch.ones(3, 32))
    with pytest.raises(ValueError, match="damping is 0: give more than 0"):
        gptq(torch.ones(2, 64), torch.ones(3, 64), damping=0)
    with pytest.raises(ValueError, match="infinite or NaN"):
        gptq(torch.ones(2, 64), torch.full((3, 64), float("nan")))
    with pytest.raises(ValueError, match="group_size is 48"):
        gptq(torch.ones(2, 64), torch.ones(3, 64), group_size=48)
