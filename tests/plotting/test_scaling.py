"""The figures of chapter 3 draw what they are given."""

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


def test_loss_surface_keeps_its_limits_and_draws_equal_compute(ax: Axes) -> None:
    sizes, tokens = np.geomspace(1e6, 1e9, 9), np.geomspace(1e8, 1e11, 8)
    losses = 2 + sizes[None] ** -0.3 + tokens[:, None] ** -0.3
    scaling.loss_surface(ax, sizes, tokens, losses, optimum=([1e6, 1e10], [1e7, 1e12]), budgets=[6e17])
    assert ax.get_xlim() == pytest.approx((1e6, 1e9))
    assert ax.get_ylim() == pytest.approx((1e8, 1e11))
    line = ax.lines[0]
    assert np.asarray(line.get_xdata()) * line.get_ydata() == pytest.approx(1e17)


def test_models_stand_where_they_are_and_have_their_names(ax: Axes) -> None:
    scaling.models_against_optimum(ax, {"small": (1e9, 1e12)}, {"refit": ([1e8, 1e10], [2e9, 2e11])})
    assert [text.get_text() for text in ax.texts] == ["small"]
    assert (ax.lines[1].get_xdata(), ax.lines[1].get_ydata()) == (pytest.approx([1e9]), pytest.approx([1e12]))
    assert labels(ax) == ["refit"]


def test_of_two_models_that_stand_close_the_lower_has_its_name_below(ax: Axes) -> None:
    models = {"low": (70e9, 1.4e12), "high": (69e9, 2e12), "far": (8e9, 15e12)}
    scaling.models_against_optimum(ax, models, {"line": ([1e9, 1e12], [1e10, 1e13])})
    above = {text.get_text(): text.xyann[1] > 0 for text in ax.texts}
    assert above == {"low": False, "high": True, "far": True}


def test_lifetime_cost_marks_the_cheapest_and_leaves_out_what_cannot_be(ax: Axes) -> None:
    costs = {"none": [np.inf, 5.0, 3.0, 4.0], "many": [np.inf, 20.0, 30.0, 60.0]}
    scaling.lifetime_cost(ax, [1, 2, 3, 4], costs)
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in stars] == [(3, 3), (2, 20)]
    assert np.isnan(ax.lines[0].get_ydata()[0])


def test_component_shares_fill_the_whole(ax: Axes) -> None:
    scaling.component_shares(ax, [1, 10], {"a": [1, 1], "b": [3, 1]}, xlabel="T")
    tops = [collection.get_paths()[0].vertices[:, 1].max() for collection in ax.collections]
    assert tops == pytest.approx([50, 100])
    assert labels(ax) == ["b", "a"]


def test_growth_exponent_draws_the_levels_and_the_range_studied(ax: Axes) -> None:
    scaling.growth_exponent(ax, [1e3, 1e6], [0.8, 0.5], levels={"one": 0.73, "two": 0.5}, studied=(1e4, 1e5))
    assert [text.get_text() for text in ax.texts] == ["one", "two"]
    assert ax.lines[0].get_color() == COLORS["optimum"]
    assert ax.patches[0].get_extents().width > 0
