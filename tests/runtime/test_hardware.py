"""Numbers of hardware that hang together."""

import pytest

from llmcourse.runtime import GPUS, gpu_named


@pytest.mark.parametrize("gpu", GPUS.values(), ids=list(GPUS))
def test_numbers_are_of_the_right_order(gpu):
    assert GPUS[gpu.name] is gpu_named(gpu.name.upper())
    assert 16e9 <= gpu.memory_bytes <= 300e9
    # A product has to reuse each byte a hundred times and more; links are slower than memory.
    assert 100 < gpu.peak_flops / gpu.memory_bandwidth < 1000
    assert 3 < gpu.memory_bandwidth / gpu.link_bandwidth < 40
    assert gpu.source


def test_dense_peaks_are_half_of_the_sparse_ones_that_data_sheets_print():
    sparse = {"a100-80gb": 624e12, "h100": 1979e12, "h200": 1979e12, "b200": 4500e12, "mi300x": 2614.9e12}
    for name, peak in sparse.items():
        assert GPUS[name].peak_flops == pytest.approx(peak / 2, rel=1e-3)


def test_a_name_that_is_not_there_is_quoted():
    with pytest.raises(ValueError, match="gpu is 'abacus': choose one of"):
        gpu_named("abacus")
