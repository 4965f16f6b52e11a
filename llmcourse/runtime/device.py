"""Which device there is, in which dtype to compute on it, and one line that says so."""

import os
import platform

import torch

__all__ = ["best_device", "compute_dtype", "device_line"]


def best_device() -> torch.device:
    """Return the fastest device of this machine: CUDA, then Apple's MPS, then the CPU.

    Returns:
        A device without an index, which torch takes to be the current one.

    Example:
        >>> best_device().type in {"cuda", "mps", "cpu"}
        True
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def compute_dtype(device: torch.device | str) -> torch.dtype:
    """Return bf16 where the device multiplies it fast, and fp32 elsewhere.

    Args:
        device: A device, or its name.

    Returns:
        The dtype in which to multiply; parameters may be kept in another.

    Example:
        >>> compute_dtype("cpu")
        torch.float32
    """
    if torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def device_line() -> str:
    """Return one line on Python, torch and the device, as the first cell of each chapter prints it.

    Returns:
        Text that differs between machines, so that no test may compare it.

    Example:
        >>> device_line().startswith("Python 3.")
        True
    """
    device = best_device()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        place = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    else:
        place = f"{device.type}, {torch.get_num_threads()} of {os.cpu_count()} threads"
    return f"Python {platform.python_version()}, torch {torch.__version__}, {place}"
