"""The fastest matrix multiplication that a device really does: what a run's speed is measured against."""

import time

import torch

__all__ = ["matmul_peak"]


def matmul_peak(
    device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, *, seconds: float = 0.2
) -> float:
    r"""Measure how many FLOP a second a large square product makes, as this machine stands now.

    A data sheet's peak is reached by no product; a part of a *measured* peak says what is left to gain (Chowdhery et
    al. 2022, arXiv:2204.02311, appendix B, divide by the data sheet's, which gives a lower utilisation).

    Args:
        device: Where to multiply.
        dtype: In what.
        seconds: How long to go on, for each of two sizes.

    Returns:
        FLOP a second, the best product's; an addition and a multiplication are two.

    Raises:
        ValueError: No time is given.

    Example:
        >>> matmul_peak(seconds=0.01) > 1e8
        True
    """
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}: give more than 0")
    device = torch.device(device)
    sizes = (512, 1024) if device.type == "cpu" else (4096, 8192)
    return max(_rate(size, device, dtype, seconds) for size in sizes)


def _rate(size: int, device: torch.device, dtype: torch.dtype, seconds: float) -> float:
    left, right = (torch.ones(size, size, device=device, dtype=dtype) for _ in range(2))
    out = torch.empty_like(left)
    begun, best = time.perf_counter(), 0.0
    while best == 0 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        torch.mm(left, right, out=out)
        if device.type != "cpu":
            torch.accelerator.synchronize()  # a GPU has only been told so far
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best
