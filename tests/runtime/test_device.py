"""The device that is found, the dtype for it, and the line about it."""

import torch

from llmcourse.runtime import best_device, compute_dtype, device_line


def test_the_device_computes() -> None:
    device = best_device()
    assert float(torch.ones(3, device=device, dtype=compute_dtype(device)).sum()) == 3.0


def test_a_cpu_computes_in_fp32() -> None:
    assert compute_dtype("cpu") is torch.float32


def test_the_line_names_torch_and_the_device() -> None:
    assert torch.__version__ in device_line()
    assert "threads" in device_line() or "GiB" in device_line()
