"""Quantized layers compute what their weights say, take the memory that they promise, and carry adapters (QLoRA)."""

import copy

import pytest
import torch
from torch import nn

from llmcourse.architecture import ModelConfig, Transformer, add_lora, generate, lora_layers, remove_lora
from llmcourse.inference import (
    WEIGHT_FORMATS,
    KVCache,
    QuantizedLinear,
    module_bytes,
    quantize_int4_zero_point,
    quantize_linear_layers,
)

FORMATS = sorted(WEIGHT_FORMATS)
BITS = {"int8": 8.0625, "int4": 4.25, "int4_zero_point": 4.375, "nf4": 4.25, "nf4_double": 4.126}


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make_linear(n_in=256, n_out=128, *, bias=True, dtype=torch.float32):
    torch.manual_seed(0)
    return nn.Linear(n_in, n_out, bias=bias, dtype=dtype)


def make_model(**changes):
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 61,
        "d_model": 64,
        "n_layers": 2,
        "n_heads": 4,
        "n_kv_heads": 2,
        "d_ff": 192,
        "init_std": 0.1,
    }
    return Transformer(ModelConfig(**sizes | changes))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_is_the_linear_layer_of_its_dequantized_weight(format, dtype, bias):
    linear, x = make_linear(bias=bias, dtype=dtype), draw(2, 3, 256).to(dtype).requires_grad_()
    layer = QuantizedLinear.of(linear, format=format)
    plain = copy.deepcopy(linear)
    plain.weight.data = layer.dequantize()
    assert plain.weight.dtype == dtype
    found, expected = layer(x), plain(x)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}  # of bf16 sums
    torch.testing.assert_close(found, expected, **tolerance)
    upstream = draw(2, 3, 128, seed=1).to(dtype)
    gradients = [torch.autograd.grad(y, x, upstream)[0] for y in (found, expected)]
    torch.testing.assert_close(*gradients, **tolerance)
    weight_error = (layer.dequantize() - linear.weight).float().norm() / linear.weight.float().norm()
    assert weight_error < (0.01 if format == "int8" else 0.12)


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_are_those_of_the_formula(format):
    linear = make_linear(256, 1024, bias=False, dtype=torch.bfloat16)
    layer = QuantizedLinear.of(linear, format=format)
    assert 8 * layer.weight_bytes / linear.weight.numel() == pytest.approx(BITS[format], abs=1e-3)
    assert module_bytes(layer) == layer.weight_bytes
    assert not list(layer.parameters())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("changes", [{}, {"tie_embeddings": True, "qkv_bias": True}], ids=["plain", "tied"])
def test_a_model_shrinks_and_still_says_nearly_the_same(format, changes):
    model, tokens = make_model(**changes), draw(2, 12).abs().mul(20).long() % 61
    quantized = quantize_linear_layers(copy.deepcopy(model), format=format)
    inside = sum(p.numel() for name, p in model.blocks.named_parameters() if p.ndim == 2)
    saved = 4 * inside - sum(m.weight_bytes for m in quantized.modules() if isinstance(m, QuantizedLinear))
    assert module_bytes(model) - module_bytes(quantized) == saved > 3.2 * inside * (0.9 if format == "int8" else 1)
    with torch.no_grad():
        before, after = model(tokens), quantized(tokens)
        assert (after - before).norm() / before.norm() < (0.02 if format == "int8" else 0.3)
        torch.testing.assert_close(quantized(tokens, cache=KVCache.of(quantized, batch_size=2)), after)
    assert quantized.loss(tokens[:, :-1], tokens[:, 1:]).isfinite()
    cached = generate(quantized, tokens[:1], 5, temperature=0.0, cache=KVCache.of(quantized))
    assert torch.equal(cached, generate(quantized, tokens[:1], 5, temperature=0.0))


@pytest.mark.parametrize("format", FORMATS)
def test_a_quantized_model_is_saved_and_loaded(format, tmp_path):
    model = quantize_linear_layers(make_model(), format=format)
    torch.save(model.state_dict(), tmp_path / "state.pt")
    torch.manual_seed(1)
    other = quantize_linear_layers(Transformer(model.config), format=format)
    tokens = torch.arange(10)[None]
    assert not torch.equal(other(tokens), model(tokens))
    other.load_state_dict(torch.load(tmp_path / "state.pt"))
    assert torch.equal(other(tokens), model(tokens))


def test_the_backward_pass_keeps_no_weight():
    layer, x = QuantizedLinear.of(make_linear()), draw(4, 256).requires_grad_()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        layer(x).square().sum().backward()
    assert max(kept, default=0) < layer.in_features * layer.out_features
    assert x.grad is not None and all(buffer.grad is None for buffer in layer.buffers())


def test_an_input_scale_undoes_that_of_the_weight():
    linear, scale = make_linear(bias=True), draw(256, seed=3).abs() + 0.5
    parts = quantize_int4_zero_point(linear.weight.detach() * scale)
    layer = QuantizedLinear(parts, format="int4_zero_point", bias=linear.bias, input_scale=scale)
    expected = nn.functional.linear(draw(3, 256), layer.dequantize() / scale, linear.bias)
    torch.testing.assert_close(layer(draw(3, 256)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("format", ["nf4", "nf4_double", "int8"])
def test_qlora_trains_adapters_alone_and_its_loss_falls(format):
    model = quantize_linear_layers(make_model(), format=format)
    frozen = {name: buffer.clone() for name, buffer in model.named_buffers()}
    add_lora(model, rank=4, targets=("q", "v", "w1", "w2"))
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained and all(name.endswith((".up", ".down")) for name in trained)
    tokens = torch.arange(24).view(2, 12) * 7 % 61
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(30):
        loss = model.loss(tokens[:, :-1], tokens[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        assert {name for name, p in model.named_parameters() if p.grad is not None} == trained
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    for name, buffer in model.named_buffers():
        before = frozen[name.replace(".layer.", ".")]
        assert torch.equal(buffer, before), f"{name} was changed"


def test_adapters_stand_where_the_scales_stand_and_cannot_be_merged():
    model = add_lora(quantize_linear_layers(make_model().bfloat16()), rank=2)
    assert {layer.down.dtype for layer in lora_layers(model)} == {torch.bfloat16}
    on_meta = add_lora(nn.ModuleDict({"q": QuantizedLinear.of(make_linear(bias=False)).to("meta")}), rank=2)
    assert {layer.down.device.type for layer in lora_layers(on_meta)} == {"meta"}
    with pytest.raises(ValueError, match=r"QuantizedLinear has no floating-point weight .*dequantize it to merge"):
        remove_lora(model)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="format is 'int3': choose one of int8, int4"):
        QuantizedLinear.of(make_linear(), format="int3")
    with pytest.raises(ValueError, match="'int4' has the parts codes, scale, and 1 were given"):
        QuantizedLinear((torch.zeros(2, 2),), format="int4")
    with pytest.raises(ValueError, match=r"there is no linear layer but \['output'\]"):
        quantize_linear_layers(nn.ModuleDict({"output": nn.Linear(4, 4)}))
    model = make_model(d_ff=176)
    with pytest.raises(ValueError, match="group_size is 64 and x has shape"):
        quantize_linear_layers(model)
    assert not any(isinstance(module, QuantizedLinear) for module in model.modules())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("format", FORMATS)
def test_a_gpu_gives_the_same_codes_and_nearly_the_same_numbers(format, dtype):
    linear, x = make_linear(dtype=dtype), draw(3, 256).to(dtype)
    on_cpu, on_gpu = QuantizedLinear.of(linear, format=format), QuantizedLinear.of(linear.cuda(), format=format)
    assert torch.equal(on_gpu.codes.cpu(), on_cpu.codes)
    torch.testing.assert_close(on_gpu.dequantize().cpu(), on_cpu.dequantize())
    torch.testing.assert_close(on_gpu(x.cuda()).cpu(), on_cpu(x), rtol=2e-2, atol=2e-2)  # TF32 and sums in bf16
    adapted = add_lora(nn.ModuleDict({"q": on_gpu}), rank=2)["q"]
    assert adapted.down.is_cuda
    adapted(x.cuda().requires_grad_()).float().sum().backward()
