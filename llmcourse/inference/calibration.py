"""Quantize layer after layer, each by what it is given on typical text once those before it are quantized."""

from collections.abc import Callable, Collection

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["calibrate_linear_layers", "layer_inputs"]


@torch.no_grad()
def layer_inputs(model: nn.Module, layer: nn.Module, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "*batch in_features"]:
    r"""Run a model, and return what one of its layers was given.

    Args:
        model: Takes tokens.
        layer: Somewhere in it.
        tokens: Text.

    Returns:
        The layer's input.

    Raises:
        ValueError: The model does not use the layer.

    Example:
        >>> model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 8), nn.Linear(8, 2))
        >>> layer_inputs(model, model[2], torch.tensor([[1, 2, 3]])).shape
        torch.Size([1, 3, 8])
    """
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        model(tokens)
    finally:
        hook.remove()
    if not seen:
        raise ValueError(f"the model does not use this {type(layer).__name__} on tokens of shape {tuple(tokens.shape)}")
    return seen[0]


def calibrate_linear_layers(
    model: nn.Module,
    tokens: Int[Tensor, "B T"],
    quantize: Callable[[nn.Linear, Float[Tensor, "*batch in_features"]], nn.Module],
    *,
    skip: Collection[str] = ("output",),
) -> nn.Module:
    r"""Put a quantized layer in the place of each linear layer, from the first to the last.

    Inputs are taken from the model as it is by then, so that a layer can make up for errors of those before it: GPTQ's
    authors work through a model in this way, one block at a time.

    Args:
        model: Changed in place.
        tokens: Typical text.
        quantize: Makes the new layer from a linear layer and its inputs.
        skip: Attribute names to leave alone, at whatever depth.

    Returns:
        The same model.

    Raises:
        ValueError: There is no linear layer.

    Cost: one forward pass for each layer.

    Example:
        >>> from llmcourse.inference import QuantizedLinear, gptq
        >>> model = nn.Sequential(nn.Embedding(10, 64), nn.Linear(64, 8))
        >>> calibrate_linear_layers(
        ...     model,
        ...     torch.arange(10)[None],
        ...     lambda layer, x: QuantizedLinear(gptq(layer.weight, x), format="int4_zero_point", bias=layer.bias),
        ... )[1]
        QuantizedLinear(in_features=64, out_features=8, bias=True, format=int4_zero_point, bits=4.625)
    """
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear) and name not in skip
    ]
    if not found:
        raise ValueError(f"there is no linear layer but {sorted(skip)}: look at model.named_modules()")
    for parent, name, layer in found:
        setattr(parent, name, quantize(layer, layer_inputs(model, layer, tokens)))
    return model
