r"""What each way to quantize costs, in bits and in perplexity, on one trained model.

The model is a small one of Llama's kind, trained on numpy's docstrings as in the sweep "architecture" and kept in fp16,
as checkpoints are. All linear layers are quantized but the projection to logits, which is the embedding; scales stay in
fp16, and count. Calibration reads text of the training part, evaluation the part that was held out.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save_file
from torch import Tensor, nn

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.inference import (
    Int8Linear,
    QuantizedLinear,
    awq,
    calibrate_linear_layers,
    dequantize_blocks,
    gptq,
    normal_float_values,
    quantize_blocks,
    quantize_int8,
    smooth_activations,
)
from llmcourse.inference.gguf_blocks import GGUF_TYPES
from llmcourse.pretraining import cross_entropy, get_batch, train
from llmcourse.sweeps import architecture
from llmcourse.sweeps.sweep import Settings, Sweep

__all__ = ["METHODS", "QUANTIZATION", "load_quantization_model", "make_quantization_model", "quantize_with"]

_CONSTANTS: dict[str, Any] = {
    "text": architecture.ARCHITECTURE.constants,
    "model": {"d_model": 256, "n_layers": 2, "n_heads": 8, "n_kv_heads": 4, "d_ff": 512, "init_std": 0.03},
    "max_lr": 3e-3,
    "warmup_steps": 40,
    "batch_size": 16,
    "seq_len": 64,
    "calibration_sequences": 64,
    "evaluation_sequences": 256,
    "version": 1,
}
Layer = Callable[[nn.Linear, Tensor], nn.Module]  # a linear layer in fp16 and its inputs, to a layer in its place


class _Rounded(nn.Linear):
    """A layer of rounded weights, of a format that is only counted here: as many bits for each weight."""

    def __init__(self, weight: Tensor, bits: float) -> None:
        super().__init__(weight.shape[1], weight.shape[0], bias=False)
        self.weight.data, self.bits = weight.float(), bits


def _stored(format: str, group_size: int = 64) -> Layer:
    return lambda layer, _: QuantizedLinear.of(layer, format=format, group_size=group_size)


def _one_scale(layer: nn.Linear, _: Tensor) -> nn.Module:
    codes, scale = quantize_int8(layer.weight.detach())
    return _Rounded(codes * scale.float(), 8 + 16 / codes.numel())


def _even_grid(bits: int, group_size: int = 64) -> Layer:
    """Round to 2**bits levels from the least to the largest of a group, as INT4 with a zero-point does for 4 bits."""

    def quantize(layer: nn.Linear, _: Tensor) -> nn.Module:
        groups, top = layer.weight.detach().float().unflatten(1, (-1, group_size)), 2**bits - 1
        low, high = groups.amin(2, keepdim=True).clamp(max=0), groups.amax(2, keepdim=True).clamp(min=0)
        scale = ((high - low) / top).half().float()
        zero = (-low / scale).round()
        rounded = ((groups / scale + zero).round().clamp(0, top) - zero) * scale
        return _Rounded(rounded.flatten(1), bits + (16 + bits) / group_size)

    return quantize


def _normal_float(bits: int, group_size: int = 64) -> Layer:
    def quantize(layer: nn.Linear, _: Tensor) -> nn.Module:
        groups = layer.weight.detach().float().unflatten(1, (-1, group_size))
        values = normal_float_values(bits).to(groups.device)
        largest = groups.abs().amax(2, keepdim=True)
        codes = torch.bucketize(groups / largest, (values[1:] + values[:-1]) / 2)
        return _Rounded((values[codes] * largest).flatten(1), bits + 16 / group_size)

    return quantize


def _blocks(type: str) -> Layer:
    def quantize(layer: nn.Linear, _: Tensor) -> nn.Module:
        data = quantize_blocks(layer.weight.detach().float(), type)
        return _Rounded(dequantize_blocks(data, type), GGUF_TYPES[type].bits)

    return quantize


def _gptq(*, act_order: bool, group_size: int = 64) -> Layer:
    def quantize(layer: nn.Linear, inputs: Tensor) -> nn.Module:
        parts = gptq(layer.weight, inputs, group_size=group_size, act_order=act_order)
        return QuantizedLinear(parts, format="int4_zero_point")

    return quantize


def _awq(layer: nn.Linear, inputs: Tensor) -> nn.Module:
    parts, input_scale = awq(layer.weight, inputs)
    return QuantizedLinear(parts, format="int4_zero_point", input_scale=input_scale)


def _both_in_8_bits(threshold: float | None) -> Layer:
    return lambda layer, _: Int8Linear(layer, outlier_threshold=threshold)


# By the names of a table. Groups have 64 weights unless said.
METHODS: dict[str, Layer] = {
    "FP16": lambda layer, _: _Rounded(layer.weight.detach(), 16),
    "INT8 one scale": _one_scale,
    "INT8 rows": _stored("int8"),
    "INT8 rows, inputs too": _both_in_8_bits(None),
    "LLM.int8": _both_in_8_bits(6.0),
    "SmoothQuant": _both_in_8_bits(None),
    "Q8_0": _blocks("Q8_0"),
    "INT4": _stored("int4"),
    "INT4, groups of 256": _stored("int4", 256),
    "INT4 zero-point": _stored("int4_zero_point"),
    "INT4 zero-point, groups of 32": _stored("int4_zero_point", 32),
    "NF4": _stored("nf4"),
    "NF4 double": _stored("nf4_double"),
    "Q4_0": _blocks("Q4_0"),
    "Q4_K": _blocks("Q4_K"),
    "AWQ": _awq,
    "GPTQ": _gptq(act_order=False),
    "GPTQ act-order": _gptq(act_order=True),
    "INT3 zero-point": _even_grid(3),
    "NF3": _normal_float(3),
    "INT2 zero-point": _even_grid(2),
    "NF2": _normal_float(2),
}


def quantize_with(model: Transformer, method: str, calibration: Tensor) -> tuple[Transformer, float]:
    r"""Quantize a model by a method's name.

    Args:
        model: Changed in place.
        method: A key of ``METHODS``.
        calibration: Tokens (B, T) of typical text.

    Returns:
        The model, and how many bits its linear layers take for each weight, scales among them.

    Raises:
        ValueError: There is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}: choose one of {', '.join(METHODS)}")
    if method == "SmoothQuant":
        smooth_activations(model, calibration)
    n_weights = bits = 0.0

    def quantize(layer: nn.Linear, inputs: Tensor) -> nn.Module:
        nonlocal n_weights, bits
        new = METHODS[method](layer.half(), inputs)
        n_weights += layer.weight.numel()
        bits += (
            layer.weight.numel() * new.bits if isinstance(new, _Rounded) else 8 * sum(b.nbytes for b in new.buffers())
        )
        return new

    calibrate_linear_layers(model, calibration, quantize)
    return model, bits / n_weights


def run(settings: Settings, device: str) -> dict[str, Any]:
    r"""Quantize one model by one method.

    Args:
        settings: ``method``; ``seed`` and ``steps`` of the model's training, which is done once in a process.
        device: Where.

    Returns:
        ``bits`` for each quantized weight; ``loss`` on held-out text, in nats a token; ``kl``, of the predictions from
        those in FP16, in nats a token; ``weight_error``, the norm of what was changed over that of the weights, where
        weights can be compared; and ``corpus``, a digest of the tokens.
    """
    training, held_out, digest = architecture.held_out_split()
    generator = torch.Generator().manual_seed(0)
    sizes = {"device": device, "generator": generator}
    calibration, _ = get_batch(training, _CONSTANTS["calibration_sequences"], _CONSTANTS["seq_len"], **sizes)
    inputs, labels = get_batch(held_out, _CONSTANTS["evaluation_sequences"], _CONSTANTS["seq_len"], **sizes)
    state = _trained(settings["seed"], settings["steps"], device)
    reference = _restore(state, device)
    model, bits = quantize_with(_restore(state, device), settings["method"], calibration)
    loss, kl = _compare(model, reference, inputs, labels)
    return {"bits": bits, "loss": loss, "kl": kl, "weight_error": _weight_error(model, reference), "corpus": digest}


@torch.inference_mode()
def _compare(model: Transformer, reference: Transformer, inputs: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return the loss, and the mean KL divergence of the reference's predictions to the model's."""
    losses, divergences = [], []
    for x, y in zip(inputs.split(32), labels.split(32), strict=True):
        logits = model(x)
        ours, theirs = logits.log_softmax(-1), reference(x).log_softmax(-1)
        losses.append(cross_entropy(logits, y))
        divergences.append((theirs.exp() * (theirs - ours)).sum(-1).mean())
    return torch.stack(losses).mean().item(), torch.stack(divergences).mean().item()


def _weight_error(model: Transformer, reference: Transformer) -> float | None:
    """Return the relative change of all weights; None where they are scaled and so are no longer comparable."""
    changed = total = 0.0
    for name, layer in reference.named_modules():
        new = model.get_submodule(name)
        if isinstance(layer, nn.Linear) and name != "output":
            if isinstance(new, Int8Linear) or getattr(new, "input_scale", None) is not None:
                return None
            weight = new.dequantize().float() if isinstance(new, QuantizedLinear) else new.get_parameter("weight")
            changed += (weight - layer.weight).square().sum().item()
            total += layer.weight.square().sum().item()
    return (changed / total) ** 0.5


def _build() -> Transformer:
    sizes = {"vocab_size": _CONSTANTS["text"]["vocab_size"], "max_seq_len": 256, "tie_embeddings": True}
    return Transformer(ModelConfig(**_CONSTANTS["model"] | sizes))


@cache
def _trained(seed: int, steps: int, device: str) -> dict[str, Tensor]:
    """Train the model; return its weights in fp16, the embedding once."""
    training, _, _ = architecture.held_out_split()
    torch.manual_seed(seed)
    model = _build().to(device)
    generator = torch.Generator().manual_seed(seed)
    shape = (_CONSTANTS["batch_size"], _CONSTANTS["seq_len"])
    train(
        model,
        (get_batch(training, *shape, device=device, generator=generator) for _ in range(steps)),
        total_steps=steps,
        max_lr=_CONSTANTS["max_lr"],
        min_lr=_CONSTANTS["max_lr"] / 10,
        warmup_steps=min(_CONSTANTS["warmup_steps"], steps),
    )
    return {name: tensor.half() for name, tensor in model.state_dict().items() if name != "output.weight"}


def _restore(state: dict[str, Tensor], device: str) -> Transformer:
    model = _build().to(device)
    wide = {name: tensor.float() for name, tensor in state.items()}
    model.load_state_dict(wide | {"output.weight": wide["embedding.weight"]})
    return model.requires_grad_(False).eval()


def load_quantization_model(*, device: str = "cpu") -> Transformer:
    r"""Return the model of the table's seed 0, as it comes with the course.

    Args:
        device: Where it is to be.

    Returns:
        A model in evaluation mode, frozen; its weights are numbers of fp16, held in fp32.
    """
    return _restore(load(files("llmcourse.sweeps").joinpath("quantization.safetensors").read_bytes()), device)


def make_quantization_model(folder: Path) -> None:
    r"""Train the model of seed 0 anew: some minutes on one core.

    Args:
        folder: Where ``quantization.safetensors`` is written.
    """
    (first, *_) = QUANTIZATION.runs("cpu")
    save_file(_trained(first["seed"], first["steps"], "cpu"), folder / "quantization.safetensors")


def _grid(steps: int, seeds: int, methods: list[str]) -> list[Settings]:
    return [{"method": method, "seed": seed, "steps": steps} for seed in range(seeds) for method in methods]


QUANTIZATION = Sweep(
    name="quantization",
    sizes={
        "quick": _grid(2, 1, ["FP16", "INT8 rows", "INT4", "GPTQ"]),
        "cpu": _grid(600, 3, list(METHODS)),
        "gpu": _grid(4000, 5, list(METHODS)),
    },
    run=run,
    constants=_CONSTANTS | {"methods": list(METHODS)},
)
