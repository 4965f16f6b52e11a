import time

import pytest
import torch

from llmcourse.runtime import matmul_peak


def test_no_product_is_faster_by_more_than_noise():
    peak = matmul_peak(seconds=0.1)
    a = torch.ones(768, 768)
    best = 0.0
    for _ in range(10):
        begun = time.perf_counter()
        a @ a
        best = max(best, 2 * 768**3 / (time.perf_counter() - begun))
    assert 0.2 * peak < best < 3 * peak  # other work on the machine slows either


def test_no_time_is_refused():
    with pytest.raises(ValueError, match="seconds is 0"):
        matmul_peak(seconds=0)
