"""The figures of chapter 6 show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from llmcourse.plotting import inference as draw


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def test_costs_stand_at_their_contexts(ax):
    assert draw.cost_over_context(ax, [16, 64], {"with": [1, 1], "without": [1, 4]}, ylabel="ms") is ax
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 1], [1, 4]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["16", "64"]


def test_the_roof_has_its_ridge_at_peak_over_bandwidth(ax):
    draw.roofline(ax, {1: (0.5, 5e9), 64: (32.0, 9e10)}, peak_flops_per_s=1e11, bandwidth_bytes_per_s=1e10)
    roof, ridge, *points = ax.lines
    assert ridge.get_xdata()[0] == 10
    assert roof.get_ydata().max() == pytest.approx(100)
    assert [tuple(map(float, (p.get_xdata()[0], p.get_ydata()[0]))) for p in points] == [(0.5, 5.0), (32.0, 90.0)]


def test_codes_have_a_row_for_each_format(ax):
    draw.code_values(ax, {"INT4": np.linspace(-1, 1, 15), "NF4": [-1, 0, 1]}, density=([-1, 0, 1], [0.1, 1, 0.1]))
    segments = [len(lines.get_segments()) for lines in ax.collections if hasattr(lines, "get_segments")]
    assert segments == [15, 3]


def test_what_is_lost_stands_over_bits(ax):
    draw.quality_over_bits(ax, {"nearest": [(4.25, 0.01), (8.1, 0.0001)]}, ylabel="KL (nats per token)")
    assert ax.lines[0].get_xdata().tolist() == [4.25, 8.1]
    assert ax.get_yscale() == "log"


def test_shares_are_steps(ax):
    draw.share_over_time(ax, {"static": ([0, 1, 2], [1.0, 0.5, 0.2])}, ylabel="rows of use")
    assert ax.lines[0].get_drawstyle() == "steps-post"


def test_blocks_have_the_colour_of_who_holds_them(ax):
    holders = np.array([[0, 0, -1], [1, 2, 2]])  # 2 is shared, of two requests
    draw.block_occupancy(ax, holders, n_requests=2)
    image = ax.images[0]
    assert image.get_array().tolist() == [[1, 1, 0], [2, 3, 3]]
    assert image.cmap.N == 4


def test_the_best_draft_length_is_marked(ax):
    draw.speedup_over_draft_length(ax, [1, 2, 3], {"a": [1.2, 1.5, 1.4]})
    assert ax.lines[-1].get_xdata() == 2
