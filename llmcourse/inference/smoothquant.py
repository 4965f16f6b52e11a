"""SmoothQuant: what makes activations hard to quantize is moved into the weights, where it hurts less."""

from collections.abc import Collection, Iterable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["smooth_activations", "smoothing_scale"]


def smoothing_scale(
    largest_inputs: Float[Tensor, "in_features"],
    weights: Iterable[Float[Tensor, "_ in_features"]],
    *,
    alpha: float = 0.5,
) -> Float[Tensor, "in_features"]:
    r"""Return what each feature is divided by, and its weights multiplied by: max|X_j|^alpha / max|W_j|^(1 - alpha).

    Xiao et al. 2022 (SmoothQuant, arXiv:2211.10438): Y = (X diag(s)^-1) (diag(s) W). At 1/2 a feature and its weights
    end with equal maxima, so that neither is harder to quantize than the other.

    Args:
        largest_inputs: The largest magnitude of each feature, over some typical text.
        weights: Of the layers that read it, each (out, in).
        alpha: How much moves: 0 makes the weights' maxima equal, 1 those of the features.

    Returns:
        Scales above 0; 1 for features that are always 0, or have no weight.

    Raises:
        ValueError: ``alpha`` is not from 0 to 1.

    Example:
        >>> smoothing_scale(torch.tensor([1.0, 64.0]), [torch.tensor([[1.0, 1.0], [0.5, -0.25]])])
        tensor([1., 8.])
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}: give 0 to 1")
    largest_weights = torch.stack([weight.float().abs().amax(0) for weight in weights]).amax(0)
    scale = largest_inputs.float() ** alpha / largest_weights ** (1 - alpha)
    has_both = (largest_inputs > 0) & (largest_weights > 0)
    return torch.where(has_both, scale, 1.0)


@torch.no_grad()
def smooth_activations(
    model: nn.Module, tokens: Int[Tensor, "B T"], *, alpha: float = 0.5, skip: Collection[str] = ("output",)
) -> nn.Module:
    r"""Smooth the inputs of all linear layers that read a norm: the norm's gains are divided, and nothing is added.

    A model computes what it did before, up to rounding. Layers that read something else, the projections out of
    attention and out of the feed-forward, stay as they are.

    Args:
        model: Changed in place.
        tokens: Typical text, from which the largest magnitude of each feature is taken.
        alpha: As for :func:`smoothing_scale`.
        skip: Attribute names of linear layers to leave alone, and with them the norm that they read: the projection to
            logits, which may be the embedding.

    Returns:
        The same model, in which :class:`llmcourse.inference.Int8Linear` may then take the place of linear layers.

    Raises:
        ValueError: No linear layer reads a norm, or a norm has another reader, so that the model would compute
            something else; then it is left as it was.

    Example:
        >>> from llmcourse.architecture import ModelConfig, Transformer
        >>> model = Transformer(ModelConfig(vocab_size=50, d_model=32, n_layers=1, n_heads=4))
        >>> tokens = torch.arange(10)[None]
        >>> before = model(tokens)
        >>> torch.allclose(smooth_activations(model, tokens)(tokens), before, atol=1e-5)
        True
    """
    logits, readers = _trace(model, tokens)
    kept = {name: parameter.clone() for name, parameter in model.named_parameters()}
    skipped = {child for parent in model.modules() for name, child in parent.named_children() if name in skip}
    smoothed = 0
    for norm, (largest, layers) in readers.items():
        if not skipped.intersection(layers):
            _move(norm, layers, smoothing_scale(largest, [layer.weight for layer in layers], alpha=alpha))
            smoothed += 1
    difference = (model(tokens) - logits).abs().max() / logits.abs().max()
    if not smoothed or difference > 100 * torch.finfo(logits.dtype).eps:
        for name, parameter in model.named_parameters():
            parameter.copy_(kept[name])
        raise ValueError(f"{smoothed} norms are read by linear layers alone, and logits differ by {difference:.2g}")
    return model


def _move(norm: nn.Module, layers: list[nn.Linear], scale: Tensor) -> None:
    for parameter in norm.parameters():  # the gain, and a LayerNorm's bias
        parameter.div_(scale.to(parameter.dtype))
    for layer in layers:
        layer.weight.mul_(scale.to(layer.weight.dtype))


def _trace(
    model: nn.Module, tokens: Tensor
) -> tuple[Tensor, dict[nn.Module, tuple[Float[Tensor, "in_features"], list[nn.Linear]]]]:
    """Run a model; return its logits, and for each norm the largest magnitudes and the linear layers that read it."""
    outputs: dict[int, tuple[nn.Module, Tensor]] = {}  # by identity; held until the end, so that no id comes twice
    readers: dict[nn.Module, tuple[Tensor, list[nn.Linear]]] = {}

    def after_norm(norm: nn.Module, _: Any, output: Tensor) -> None:
        outputs[id(output)] = (norm, output)

    def before_linear(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        norm, output = outputs.get(id(inputs[0]), (None, None))
        if norm is not None and output is not None and isinstance(layer, nn.Linear):
            largest = output.abs().flatten(0, -2).amax(0)
            readers.setdefault(norm, (largest, []))[1].append(layer)

    hooks = [
        module.register_forward_pre_hook(before_linear)
        if isinstance(module, nn.Linear)
        else module.register_forward_hook(after_norm)
        for module in model.modules()
        if isinstance(module, nn.Linear) or "norm" in type(module).__name__.lower()
    ]
    try:
        return model(tokens), readers
    finally:
        for hook in hooks:
            hook.remove()
