import pytest

from llmcourse.pretraining.parallelism import zero_memory


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_it_is_the_papers_figure_1(stage, gigabytes):
    assert zero_memory(7.5e9, 64, stage) / 1e9 == pytest.approx(gigabytes, abs=0.051)


def test_on_one_device_no_stage_spares_anything():
    assert {zero_memory(10, 1, stage) for stage in range(4)} == {160.0}


def test_bad_values_are_quoted():
    with pytest.raises(ValueError, match="stage is 4"):
        zero_memory(1, 1, 4)
    with pytest.raises(ValueError, match="n_devices is 0"):
        zero_memory(1, 0, 1)
