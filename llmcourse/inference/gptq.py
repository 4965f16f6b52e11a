"""GPTQ: weights are rounded one column after another, and those that are left make up for each error."""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from llmcourse.inference.int4 import affine_range, pack_int4, split_groups
from llmcourse.inference.int8 import check_finite, to_grid

__all__ = ["gptq"]

_BLOCK = 128  # columns that are worked on before all later ones are brought up to date, in one product


@torch.no_grad()
def gptq(
    weight: Float[Tensor, "out n"],
    inputs: Float[Tensor, "*batch n"],
    *,
    group_size: int = 64,
    damping: float = 0.01,
    act_order: bool = False,
) -> tuple[UInt8[Tensor, "out n//2"], Float[Tensor, "out n_groups"], UInt8[Tensor, "out n_groups"]]:
    r"""Quantize a weight to 4 bits so that its layer's outputs, not its weights, change least.

    Frantar et al. 2022 (GPTQ, arXiv:2210.17323). The squared error of a layer's outputs is E H E^T for an error E of
    its weights, with H = X^T X over typical inputs X. When column i is rounded with an error e, the columns j that are
    not yet rounded move by -e H^-1[i, j] / H^-1[i, i], where H^-1 is the inverse over those columns alone. All of these
    rows together are U of the Cholesky decomposition H^-1 = U^T U, each divided by its diagonal. All rows of the weight
    are rounded in the same order, which is what makes this fast beside Optimal Brain Quantization, which chooses for
    each.

    Args:
        weight: Of a linear layer, in fp32, fp16 or bf16.
        inputs: That the layer was given on typical text; more vectors than features, if H is to say something.
        group_size: Neighbours in a row that share a scale.
        damping: Times the mean of H's diagonal, added to that diagonal, so that there is an inverse.
        act_order: Round the columns of the largest inputs first, while there are most others to make up for them.
            Scales are then taken from the weight as it was, so that groups remain neighbours.

    Returns:
        Packed codes, scales and zero-points as of :func:`llmcourse.inference.quantize_int4_zero_point`, which
        :func:`llmcourse.inference.dequantize_int4` and :class:`llmcourse.inference.QuantizedLinear` take.

    Raises:
        ValueError: Shapes do not fit, ``damping`` is not above 0, or a number is infinite or NaN.

    Cost: n^3 for the inverse and out * n^2 for the rest.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> weight, x = torch.randn(8, 64), torch.randn(500, 8) @ torch.randn(8, 64)
        >>> from llmcourse.inference import dequantize_int4, quantize_int4_zero_point
        >>> ways = quantize_int4_zero_point(weight), gptq(weight, x)
        >>> nearest, made_up = [(x @ (dequantize_int4(*way) - weight).T).norm().item() for way in ways]
        >>> made_up < 0.5 * nearest
        True
    """
    _check(weight, inputs, damping)
    scale, zero_point = affine_range(split_groups(weight, group_size))
    order, upper, dead = _second_order(inputs, damping, act_order)
    columns = weight.float().masked_fill(dead, 0.0)[:, order]
    codes = torch.empty_like(columns)
    block = group_size * -(-_BLOCK // group_size)  # whole groups, whose range is taken when their first column comes
    for start in range(0, columns.shape[1], block):
        end = min(start + block, columns.shape[1])
        errors = torch.empty_like(columns[:, start:end])
        for i in range(start, end):
            group = int(order[i]) // group_size
            if not act_order and i % group_size == 0:
                current = columns[:, i : i + group_size].to(weight.dtype)
                scale[:, group], zero_point[:, group] = affine_range(current)
            column = columns[:, i]
            codes[:, i] = to_grid(column, scale[:, group], 0, 15, zero_point[:, group])
            rounded = (codes[:, i] - zero_point[:, group]) * scale[:, group].float()
            errors[:, i - start] = (column - rounded) / upper[i, i]
            columns[:, i:end] -= errors[:, i - start, None] * upper[i, i:end]
        columns[:, end:] -= errors @ upper[start:end, end:]
    codes = codes[:, order.argsort()].to(torch.uint8)
    return pack_int4(codes), scale, zero_point.to(torch.uint8)


def _second_order(
    inputs: Float[Tensor, "*batch n"], damping: float, act_order: bool
) -> tuple[Int[Tensor, "n"], Float[Tensor, "n n"], Tensor]:
    """Return the order of columns, the upper Cholesky factor of H's inverse in that order, and which are never used."""
    x = inputs.flatten(0, -2).double()
    hessian = x.T @ x
    diagonal = hessian.diagonal()
    dead = diagonal == 0
    order = diagonal.argsort(descending=True, stable=True) if act_order else torch.arange(len(dead), device=dead.device)
    diagonal += torch.where(dead, 1.0, damping * diagonal.mean())
    hessian = hessian[order][:, order]
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian))
    return order, torch.linalg.cholesky(inverse, upper=True).float(), dead


def _check(weight: Tensor, inputs: Tensor, damping: float) -> None:
    if weight.ndim != 2 or inputs.ndim < 2 or weight.shape[1] != inputs.shape[-1]:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)} and inputs {tuple(inputs.shape)}: give (out, n) and (..., n)"
        )
    if damping <= 0:
        raise ValueError(f"damping is {damping}: give more than 0, such as 0.01")
    check_finite(inputs)
