"""What a cache of rotated keys asks for and allows: scores at an offset, and keys that move up."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["cached_scores", "drop_oldest"]

Rotate = Callable[[Tensor, Tensor], Tensor]


def cached_scores(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H T head_dim"],
    cached_keys: Float[Tensor, "B H S head_dim"],
    rotate: Rotate,
) -> Float[Tensor, "B H T S+T"]:
    r"""Return the scores of new queries against cached and new keys, before mask and softmax.

    A key is rotated once, at its own position, and cached so (Su et al. 2021, arXiv:2104.09864, section 3.2.2: the
    product depends on the distance alone, whatever else is rotated later). New tokens count on from the cached ones.

    Args:
        q: Queries of the new tokens, not rotated.
        k: Keys of the new tokens, likewise.
        cached_keys: Keys of the tokens before them, rotated at 0, ..., S - 1; S may be 0.
        rotate: Rotates its first argument at the positions (T,) that are its second.

    Returns:
        Products over sqrt(head_dim), cached keys first.

    Example:
        >>> from llmcourse.architecture import apply_rope
        >>> x = torch.tensor([[[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]]])
        >>> cached_scores(x[:, :, 2:], x[:, :, 2:], apply_rope(x[:, :, :2], torch.arange(2)), apply_rope)
        tensor([[[[-0.2943,  0.3821,  0.7071]]]])
    """
    start = cached_keys.shape[2]
    positions = torch.arange(start, start + q.shape[2], device=q.device)
    keys = torch.cat([cached_keys, rotate(k, positions)], dim=2)
    return rotate(q, positions) @ keys.transpose(-1, -2) / math.sqrt(q.shape[-1])


def drop_oldest(
    cached_keys: Float[Tensor, "B H S head_dim"], n: int, rotate: Rotate
) -> Float[Tensor, "B H S-n head_dim"]:
    r"""Drop the oldest keys of a cache, and move the others up to positions from 0.

    Rotations add up, R(-n) R(m) = R(m - n), so that keys move without what they were before rotation. What the keys
    hold beside their position stays as it was: deeper layers' keys were made while their tokens still saw those that
    leave.

    Args:
        cached_keys: Rotated at 0, ..., S - 1.
        n: How many leave.
        rotate: Rotates its first argument at the positions that are its second, which may be negative.

    Returns:
        The others, rotated at 0, ..., S - n - 1.

    Raises:
        ValueError: There are not so many keys.

    Example:
        >>> from llmcourse.architecture import apply_rope
        >>> keys = torch.tensor([[[[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]]])
        >>> drop_oldest(apply_rope(keys, torch.arange(3)), 2, apply_rope).round(decimals=4) + 0.0
        tensor([[[[3., 0.]]]])
    """
    if not 0 <= n <= cached_keys.shape[2]:
        raise ValueError(f"n is {n} and there are {cached_keys.shape[2]} keys: drop between none and all of them")
    kept = cached_keys[:, :, n:]
    return rotate(kept, torch.full((kept.shape[2],), -n, device=kept.device))
