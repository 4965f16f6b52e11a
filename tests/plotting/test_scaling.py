"""The figures of scaling laws draw what they are given."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from llmcourse.plotting import COLORS, scaling


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def labels(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_power_law_draws_each_curve_in_the_colour_of_its_points_and_names_the_floor(ax: Axes) -> None:
    points = {"small": ([1e3, 1e4], [3.0, 2.8]), "large": ([1e3, 1e4], [2.9, 2.6])}
    scaling.power_law(ax, points, [([1e3, 1e5], [3, 2.7]), ([1e3, 1e5], [2.9, 2.55])], floor=2.5, xlabel="tokens")
    first, second, below, above, floor = ax.lines
    assert (first.get_color(), second.get_color()) == (below.get_color(), above.get_color())
    assert first.get_color() != second.get_color()
    assert list(above.get_ydata()) == [2.9, 2.55]
    assert set(floor.get_ydata()) == {2.5}
    assert [text.get_text() for text in ax.texts] == ["floor 2.5"]
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel()) == ("log", "log", "tokens")


def test_power_law_draws_curves_of_no_series_in_grey(ax: Axes) -> None:
    scaling.power_law(ax, {"a": ([1, 2], [2, 1])}, [([1, 2], [2, 1]), ([1, 2], [2, 1.5])], xlabel="x")
    points, own, other = ax.lines
    assert own.get_color() == points.get_color()
    assert other.get_color() == COLORS["reference"]


def test_power_law_without_a_floor_draws_none(ax: Axes) -> None:
    scaling.power_law(ax, {"a": ([1, 2], [2, 1])}, xlabel="x")
    assert len(ax.lines) == 1
    assert not ax.texts


def test_envelope_draws_a_curve_for_each_size_in_the_order_of_compute(ax: Axes) -> None:
    sizes, flops = [1e6, 2e9, 1e6, 2e9], [20, 30, 10, 20]
    scaling.envelope(ax, sizes, flops, [2.0, 1.8, 3.0, 3.5], best=([10, 20], [3.0, 2.0]))
    assert list(ax.lines[0].get_xdata()) == [10, 20]
    assert list(ax.lines[0].get_ydata()) == [3.0, 2.0]
    assert labels(ax) == ["1M", "2B", "envelope"]


def test_isoflop_parabolas_group_budgets_and_touch_their_lowest_points(ax: Axes) -> None:
    sizes = np.array([1e6, 1e7, 1e8])
    budgets = np.array([1e18, 1.005e18, 1e18, 1e20, 1e20, 1e20])
    losses = np.concatenate([3 + (np.log10(sizes) - 7) ** 2, 2 + (np.log10(sizes) - 7) ** 2])
    scaling.isoflop_parabolas(ax, np.tile(sizes, 2), budgets, losses, optima=([1e7, 1e7], [3, 2]))
    assert len(labels(ax)) == 2
    parabolas = [line for line in ax.lines if len(line.get_xdata()) == 60]
    assert [line.get_ydata().min() for line in parabolas] == pytest.approx([3, 2], abs=1e-3)
    assert list(ax.lines[-1].get_ydata()) == [3, 2]


def test_growth_exponent_draws_the_levels_and_the_range_studied(ax: Axes) -> None:
    scaling.growth_exponent(ax, [1e3, 1e6], [0.8, 0.5], levels={"one": 0.73, "two": 0.5}, studied=(1e4, 1e5))
    assert [text.get_text() for text in ax.texts] == ["one", "two"]
    assert ax.lines[0].get_color() == COLORS["optimum"]
    assert ax.patches[0].get_extents().width > 0
