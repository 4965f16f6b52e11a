"""LLM.int8: weights and activations in 8 bits, but for the few features whose values are huge."""

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn

from llmcourse.inference.int8 import dequantize_int8, quantize_int8

__all__ = ["Int8Linear", "int8_linear"]


def int8_linear(
    x: Float[Tensor, "*batch in_features"],
    codes: Int8[Tensor, "out_features in_features"],
    scale: Float[Tensor, "out_features 1"],
    *,
    outlier_threshold: float | None = 6.0,
) -> Float[Tensor, "*batch out_features"]:
    r"""Multiply integers, a scale for each token and for each output; features with outliers go by in full precision.

    Dettmers et al. 2022 (LLM.int8, arXiv:2208.07339). From a few billion parameters on, transformers have a handful of
    features that reach 20 times what others do, for almost every token. They set the scale of every token, and all else
    is rounded away. Such features are less than one in a hundred, so that taking them out costs little. (The paper has
    their weights in fp16 beside; here, as in bitsandbytes, they are made from the codes, and no weight is kept twice.)

        X W^T = scale_x scale_w (Q_x Q_w^T) over the others + X_o W_o^T over the outliers

    Args:
        x: Activations; quantized here, token by token.
        codes: Of a weight, by :func:`llmcourse.inference.quantize_int8` with ``dim=-1``.
        scale: Of its rows.
        outlier_threshold: A feature is an outlier where any token's magnitude reaches this; None takes none out, which
            is plain 8-bit weights and activations (W8A8).

    Returns:
        Products, in the dtype of ``x``.

    Raises:
        ValueError: ``outlier_threshold`` is not above 0.

    Example:
        >>> x, weight = torch.tensor([[0.4, 0.3, 60.0]]), torch.tensor([[1.27, 0.5, 0.1]])
        >>> codes, scale = quantize_int8(weight, dim=-1)
        >>> plain = int8_linear(x, codes, scale, outlier_threshold=None)
        >>> [round(y.item(), 2) for y in (x @ weight.T, plain, int8_linear(x, codes, scale))]
        [6.66, 6.84, 6.66]
    """
    if outlier_threshold is not None and outlier_threshold <= 0:
        raise ValueError(f"outlier_threshold is {outlier_threshold}: give more than 0, or None to take none out")
    rows = x.reshape(-1, x.shape[-1])
    is_outlier = torch.zeros_like(rows[:1], dtype=torch.bool)
    if outlier_threshold is not None:
        is_outlier = (rows.abs() >= outlier_threshold).any(0, keepdim=True)
    row_codes, row_scale = quantize_int8(rows.float().masked_fill(is_outlier, 0.0), dim=-1)
    # Sums of products of codes are integers, of which fp32 holds those to 2**24 alone: 1,040 of 127 * 127.
    product = (row_codes.double() @ codes.double().T).float() * row_scale * scale.float().T
    outliers = is_outlier[0].nonzero()[:, 0]
    if len(outliers):
        weight = dequantize_int8(codes[:, outliers], scale).to(x.dtype)
        product = product + (rows[:, outliers] @ weight.T).float()
    return product.to(x.dtype).unflatten(0, x.shape[:-1])


class Int8Linear(nn.Module):
    r"""The layer of :func:`int8_linear`, for inference: rounding has no gradient.

    Args:
        layer: Its weight is quantized; it is left as it is.
        outlier_threshold: As for :func:`int8_linear`.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> layer = nn.Linear(16, 4)
        >>> x = torch.randn(2, 16)
        >>> bool((Int8Linear(layer)(x) - layer(x)).abs().max() < 0.02)
        True
    """

    codes: Tensor
    scale: Tensor

    def __init__(self, layer: nn.Linear, *, outlier_threshold: float | None = 6.0) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.outlier_threshold = outlier_threshold
        codes, scale = quantize_int8(layer.weight.detach(), dim=-1)
        self.register_buffer("codes", codes)
        self.register_buffer("scale", scale)
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().clone(), requires_grad=False)

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """Apply the layer, in the dtype of the input."""
        y = int8_linear(x.detach(), self.codes, self.scale, outlier_threshold=self.outlier_threshold)
        return y if self.bias is None else y + self.bias.to(x.dtype)

    def extra_repr(self) -> str:
        """Return what torch prints between the brackets."""
        return f"{self.in_features}, {self.out_features}, outlier_threshold={self.outlier_threshold}"
