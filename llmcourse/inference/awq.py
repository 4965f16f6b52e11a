"""AWQ: weights that meet large inputs are made larger before they are rounded, by a power that is searched for."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from llmcourse.inference.int4 import dequantize_int4, quantize_int4_zero_point
from llmcourse.inference.int8 import check_finite

__all__ = ["awq"]

_Int4 = tuple[UInt8[Tensor, "out n//2"], Float[Tensor, "out n_groups"], UInt8[Tensor, "out n_groups"]]


@torch.no_grad()
def awq(
    weight: Float[Tensor, "out n"], inputs: Float[Tensor, "*batch n"], *, group_size: int = 64, n_grid: int = 20
) -> tuple[_Int4, Float[Tensor, "n"]]:
    r"""Quantize W diag(s) to 4 bits, where s is the power of the inputs' mean magnitudes that serves the outputs best.

    Lin et al. 2023 (AWQ, arXiv:2306.00978). A weight's rounding error is multiplied by its input, so that the few
    features with large inputs make most of the damage. Multiplying their weights by s > 1 and dividing the inputs by it
    changes nothing exactly, and makes their relative error s times less as long as the group's largest number stays
    what it is. No weight is kept in higher precision; no gradient and no inverse is needed.

    s = mean|X_j|^a, over a = 0, 1 / n_grid, ..., 1; at a = 0, which rounds to the nearest, s is 1. As in the authors'
    code s is divided by the root of its largest times its least, which keeps weights about as large as they were. Their
    code also searches where to clip weights, and folds s into the norm or projection before; here the layer divides.

    Args:
        weight: Of a linear layer, in fp32, fp16 or bf16.
        inputs: That the layer was given on typical text.
        group_size: Neighbours in a row that share a scale.
        n_grid: Powers that are tried beside 0.

    Returns:
        Packed codes, scales and zero-points of the weight times s, as of
        :func:`llmcourse.inference.quantize_int4_zero_point`; and s, which
        :class:`llmcourse.inference.QuantizedLinear` takes as its ``input_scale``.

    Raises:
        ValueError: Shapes do not fit, ``n_grid`` is below 1, or a number is infinite or NaN.

    Cost: ``n_grid`` products of the layer.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> weight, x = torch.randn(8, 64), torch.randn(500, 64)
        >>> x[:, 5] *= 30
        >>> (packed, scale, zero_point), s = awq(weight, x)
        >>> nearest = x @ dequantize_int4(*quantize_int4_zero_point(weight)).T
        >>> searched = x / s @ dequantize_int4(packed, scale, zero_point).T
        >>> bool((searched - x @ weight.T).norm() < 0.6 * (nearest - x @ weight.T).norm()), s.argmax().item()
        (True, 5)
    """
    _check(weight, inputs, n_grid)
    x = inputs.flatten(0, -2).float()
    magnitude = x.abs().mean(0).clamp(min=1e-4)  # as the authors' code: a feature that is always 0 gets a scale, too
    expected = x @ weight.float().T
    least_error, found = float("inf"), None
    for step in range(n_grid + 1):
        s = magnitude ** (step / n_grid)
        s = (s / (s.max() * s.min()).sqrt()).to(weight.dtype)
        parts = quantize_int4_zero_point(weight * s, group_size=group_size)
        error = ((x / s.float()) @ dequantize_int4(*parts).float().T - expected).square().mean().item()
        if error < least_error:
            least_error, found = error, (parts, s)
    if found is None:
        raise ValueError("no power gives a finite error: the inputs or weights are too large for fp32")
    return found


def _check(weight: Tensor, inputs: Tensor, n_grid: int) -> None:
    if weight.ndim != 2 or inputs.ndim < 2 or weight.shape[1] != inputs.shape[-1]:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)} and inputs {tuple(inputs.shape)}: give (out, n) and (..., n)"
        )
    if n_grid < 1:
        raise ValueError(f"n_grid is {n_grid}: give 1 or more")
    check_finite(inputs)
