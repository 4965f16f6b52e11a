"""Plans of known models."""

import pytest

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism import plan
from llmcourse.runtime import GPU

LLAMA_2_7B = ModelConfig(vocab_size=32_000, d_model=4096, n_layers=32, n_heads=32, d_ff=11_008)
SMALL = ModelConfig(vocab_size=32_000, d_model=768, n_layers=12, n_heads=12, d_ff=2048)


def test_a_7b_model_fits_on_8_gpus_of_80_gb_only_where_states_are_cut():
    plans = plan(LLAMA_2_7B, n_gpus=8, gpu="h100", batch_size=64, seq_len=4096)
    fits = {(found.layout.parallel, found.fits) for found in plans if found.layout.parallel}
    # 4 + 4 + 8 bytes for each of 6.7 billion weights are 108 GB; an eighth of the last part leaves 61.
    assert fits == {("data", False)} | {(name, True) for name in ("zero1", "zero2", "zero3", "tensor", "pipeline")}
    assert [found.fits for found in plans] == sorted([found.fits for found in plans], reverse=True)
    times = [found.step_s for found in plans if found.fits]
    assert times == sorted(times)
    assert all(0 <= found.bubble < 0.5 for found in plans if found.fits)


def test_where_all_fits_plain_data_parallelism_is_among_the_quickest_and_wins_against_cutting_layers():
    plans = plan(SMALL, n_gpus=4, gpu="h100", batch_size=256, seq_len=1024)
    assert all(found.fits for found in plans if found.layout.parallel in ("data", "zero1", "zero3"))
    rank = {found.layout.parallel: number for number, found in enumerate(plans) if found.layout.parallel}
    assert rank["data"] < rank["tensor"]
    assert rank["data"] < rank["zero3"]


def test_a_slow_link_and_a_small_memory_change_the_plan():
    tiny = GPU(
        name="tiny", memory_bytes=1e9, peak_flops=1e14, memory_bandwidth=1e12, link_bandwidth=1e9, source="made up"
    )
    plans = plan(SMALL, n_gpus=8, gpu=tiny, batch_size=64, seq_len=1024)
    assert not any(found.fits for found in plans if found.layout.parallel == "data")
    totals = [found.memory.total for found in plans if not found.fits]
    assert totals == sorted(totals)


def test_bad_values_are_quoted():
    with pytest.raises(ValueError, match="n_gpus is 0"):
        plan(SMALL, n_gpus=0, gpu="h100", batch_size=8, seq_len=8)
    with pytest.raises(ValueError, match="gpu is 'abacus': choose one of a100-40gb"):
        plan(SMALL, n_gpus=1, gpu="abacus", batch_size=8, seq_len=8)
    with pytest.raises(ValueError, match="no layout of 13 GPUs cuts n_heads 12"):
        plan(SMALL, n_gpus=13, gpu="h100", batch_size=8, seq_len=8)
