"""Layers are calibrated on what they are given, once those before them are quantized."""

import copy

import pytest
import torch
from torch import nn

from llmcourse.inference import (
    QuantizedLinear,
    awq,
    calibrate_linear_layers,
    gptq,
    layer_inputs,
    quantize_linear_layers,
)


def tokens(n=6, seed=0):
    """Sequences of a few patterns, so that what layers are given lies in a few directions."""
    starts = torch.randint(61, (n, 1), generator=torch.Generator().manual_seed(seed))
    return (starts + torch.arange(24) * 7) % 61


def by_gptq(layer, x):
    return QuantizedLinear(gptq(layer.weight, x, group_size=16), format="int4_zero_point", bias=layer.bias)


def by_awq(layer, x):
    parts, s = awq(layer.weight, x, group_size=16)
    return QuantizedLinear(parts, format="int4_zero_point", bias=layer.bias, input_scale=s)


def test_inputs_are_what_the_layer_was_given(model):
    text = tokens()
    first = model.blocks[0]
    expected = first.attention_norm(model.embedding(text))
    torch.testing.assert_close(layer_inputs(model, first.attention.q, text), expected)
    assert not first.attention.q._forward_pre_hooks
    with pytest.raises(ValueError, match=r"does not use this Linear on tokens of shape \(6, 24\)"):
        layer_inputs(model, nn.Linear(2, 2), text)


def test_each_layer_sees_those_before_it_quantized(model):
    seen = {}

    def keep(layer, x):
        seen[id(layer)] = x
        return nn.Linear(layer.in_features, layer.out_features, bias=False).requires_grad_(False)

    layers = [model.blocks[0].attention.q, model.blocks[1].attention.q]
    expected = layer_inputs(model, layers[0], tokens()), layer_inputs(model, layers[1], tokens())
    calibrate_linear_layers(model, tokens(), keep)
    assert torch.equal(seen[id(layers[0])], expected[0])
    assert not torch.allclose(seen[id(layers[1])], expected[1])


@pytest.mark.parametrize("quantize", [by_gptq, by_awq])
def test_a_whole_model_errs_less_than_by_rounding_to_the_nearest(model, quantize):
    expected = model(tokens(seed=1))

    def error(quantized):
        return ((quantized(tokens(seed=1)) - expected).norm() / expected.norm()).item()

    nearest = error(quantize_linear_layers(copy.deepcopy(model), format="int4_zero_point", group_size=16))
    calibrated = calibrate_linear_layers(copy.deepcopy(model), tokens(20), quantize)
    assert error(calibrated) < (0.8 if quantize is by_gptq else 1.0) * nearest
    assert isinstance(calibrated.output, nn.Linear)
    assert sum(isinstance(module, QuantizedLinear) for module in calibrated.modules()) == 14


def test_biases_stay(make_model):
    model = make_model(qkv_bias=True, output_bias=True)
    before = model.blocks[0].attention.q.bias.clone()
    calibrate_linear_layers(model, tokens(), by_gptq)
    assert torch.equal(model.blocks[0].attention.q.bias, before)


def test_a_model_without_linear_layers_is_refused():
    with pytest.raises(ValueError, match=r"there is no linear layer but \['output'\]"):
        calibrate_linear_layers(nn.Embedding(3, 3), torch.zeros(1, 1, dtype=torch.long), by_gptq)
