"""One seed for all sources of chance."""

import random

import numpy as np
import torch

__all__ = ["seed_everything"]


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python's, numpy's and torch's generators, and return one of torch's own on the CPU.

    Args:
        seed: Any integer from 0 to 2**32 - 1.

    Returns:
        A generator for code that takes one; it does not share state with torch's global one.

    Raises:
        ValueError: The seed is outside that range.

    Example:
        >>> first = seed_everything(0) and torch.rand(1)
        >>> bool(first == (seed_everything(0) and torch.rand(1)))
        True
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}; numpy takes 0 to 2**32 - 1 = 4294967295")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  libraries that draw from the global state are to be reproducible too
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
