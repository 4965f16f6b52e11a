"""What goes into a loss: tensors of one shape, in fp32 or wider, with nothing left where the mask is False."""

import torch
from torch import Tensor

__all__ = ["kept_mask", "masked_mean", "operands"]


def operands(mask: Tensor | None = None, /, **tensors: Tensor) -> tuple[Tensor, ...]:
    r"""Return tensors ready to compute with: widened, and 0 where the mask is False.

    Logarithms of probabilities are sums of hundreds of nats, whose differences of a few matter: bf16 has 8 bits. And a
    NaN at a padded place would come back in the gradient even where its loss is multiplied by 0.

    Args:
        mask: True where something counts.
        **tensors: What has to have one shape, by the name that an error tells.

    Returns:
        The tensors in the order given, in fp32 or, where they are, in fp64.

    Raises:
        ValueError: Shapes differ, or the mask is not boolean; quotes them.

    Example:
        >>> operands(torch.tensor([True, False]), values=torch.tensor([1.0, torch.nan]).bfloat16())
        (tensor([1., 0.]),)
    """
    names = list(tensors)
    shape = tensors[names[0]].shape
    for name in names[1:]:
        if tensors[name].shape != shape:
            raise ValueError(
                f"{names[0]} is {tuple(shape)} and {name} {tuple(tensors[name].shape)}: give one number for each"
            )
    wide = (tensor.to(torch.promote_types(tensor.dtype, torch.float32)) for tensor in tensors.values())
    if mask is None:
        return tuple(wide)
    kept = kept_mask(mask, tensors[names[0]])
    return tuple(tensor.masked_fill(~kept, 0.0) for tensor in wide)


def kept_mask(mask: Tensor | None, like: Tensor) -> Tensor:
    r"""Return a mask as booleans, all True where there is none.

    Args:
        mask: True where something counts.
        like: What it belongs to.

    Returns:
        Booleans in the shape of ``like``.

    Raises:
        ValueError: The mask has another shape, or is of floating-point numbers.
    """
    if mask is None:
        return torch.ones_like(like, dtype=torch.bool)
    if mask.shape != like.shape or mask.is_floating_point():
        raise ValueError(f"mask is {tuple(mask.shape)} of {mask.dtype}: give booleans of {tuple(like.shape)}")
    return mask.bool()


def masked_mean(values: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Return the mean over what counts; 0, with gradients of 0, where nothing does.

    Args:
        values: In any shape.
        mask: True where a value counts; all do by default.

    Returns:
        A scalar.

    Example:
        >>> masked_mean(torch.tensor([1.0, 3.0, torch.nan]), torch.tensor([True, True, False]))
        tensor(2.)
    """
    kept = kept_mask(mask, values)
    return values.masked_fill(~kept, 0.0).sum() / kept.sum().clamp(min=1)
