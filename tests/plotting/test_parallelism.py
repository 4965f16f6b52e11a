"""The figures of distributed training draw every device, message, pass and part."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from llmcourse.plotting import COLORS, parallelism
from llmcourse.pretraining.parallelism import bubble_fraction, pipeline_actions, pipeline_timeline


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def sent(ax):
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    return [arrow for arrow in arrows if to_hex(arrow.get_edgecolor()) == COLORS["communication"].lower()]


@pytest.mark.parametrize("n_devices", [2, 4])
def test_a_ring_joins_all_devices(ax, n_devices):
    parallelism.data_parallel_ring(ax, n_devices)
    assert len([patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]) == 3 * n_devices
    assert len(sent(ax)) == n_devices


def test_a_ring_of_one_is_refused(ax):
    with pytest.raises(ValueError, match="n_devices is 1: a ring takes at least 2"):
        parallelism.data_parallel_ring(ax, 1)


def test_tensor_parallel_has_two_devices_between_f_and_g(ax):
    parallelism.tensor_parallel_flow(ax)
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("$f$") == texts.count("$g$") == 1
    assert sum(text.startswith("columns") for text in texts) == sum(text.startswith("rows") for text in texts) == 2


@pytest.mark.parametrize("schedule", ["gpipe", "1f1b"])
def test_the_white_of_a_pipeline_chart_is_the_bubble(ax, schedule):
    parallelism.pipeline_chart(ax, pipeline_timeline(pipeline_actions(schedule, 3, 5)), title=schedule)
    passes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(passes) == 2 * 3 * 5
    busy, whole = sum(patch.get_width() for patch in passes), 3 * ax.get_xlim()[1]
    assert 1 - busy / whole == pytest.approx(bubble_fraction(3, 5))
    assert {to_hex(patch.get_facecolor()) for patch in passes} == {
        COLORS["forward"].lower(),
        COLORS["backward"].lower(),
    }


def test_memory_is_stacked_and_written_beside_its_bar(ax):
    layouts = {"one": {"parameters": 2e9, "gradients": 2e9, "optimizer": 12e9}, "two": {"parameters": 1e9}}
    parallelism.memory_by_part(ax, layouts, limit=24e9)
    assert [text.get_text().strip() for text in ax.texts] == ["16.0", "1.0", "24 GB"]
    ends = {(round(bar.get_x() + bar.get_width(), 6), round(bar.get_y() + bar.get_height() / 2)) for bar in ax.patches}
    assert (16.0, 0) in ends
    assert (1.0, 1) in ends
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["parameters", "gradients", "optimizer"]
