"""The figures of budgets draw what they are given."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from llmcourse.plotting import compute_budget


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


def test_loss_surface_keeps_its_limits_and_draws_equal_compute(ax: Axes) -> None:
    sizes, tokens = np.geomspace(1e6, 1e9, 9), np.geomspace(1e8, 1e11, 8)
    losses = 2 + sizes[None] ** -0.3 + tokens[:, None] ** -0.3
    compute_budget.loss_surface(ax, sizes, tokens, losses, optimum=([1e6, 1e10], [1e7, 1e12]), budgets=[6e17])
    assert ax.get_xlim() == pytest.approx((1e6, 1e9))
    assert ax.get_ylim() == pytest.approx((1e8, 1e11))
    line = ax.lines[0]
    assert np.asarray(line.get_xdata()) * line.get_ydata() == pytest.approx(1e17)


def test_models_stand_where_they_are_and_have_their_names(ax: Axes) -> None:
    compute_budget.models_against_optimum(ax, {"small": (1e9, 1e12)}, {"refit": ([1e8, 1e10], [2e9, 2e11])})
    assert [text.get_text() for text in ax.texts] == ["small"]
    assert (ax.lines[1].get_xdata(), ax.lines[1].get_ydata()) == (pytest.approx([1e9]), pytest.approx([1e12]))
    assert labels(ax) == ["refit"]


def test_of_two_models_that_stand_close_the_lower_has_its_name_below(ax: Axes) -> None:
    models = {"low": (70e9, 1.4e12), "high": (69e9, 2e12), "far": (8e9, 15e12)}
    compute_budget.models_against_optimum(ax, models, {"line": ([1e9, 1e12], [1e10, 1e13])})
    above = {text.get_text(): text.xyann[1] > 0 for text in ax.texts}
    assert above == {"low": False, "high": True, "far": True}


def test_lifetime_cost_marks_the_cheapest_and_leaves_out_what_cannot_be(ax: Axes) -> None:
    costs = {"none": [np.inf, 5.0, 3.0, 4.0], "many": [np.inf, 20.0, 30.0, 60.0]}
    compute_budget.lifetime_cost(ax, [1, 2, 3, 4], costs)
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in stars] == [(3, 3), (2, 20)]
    assert np.isnan(ax.lines[0].get_ydata()[0])


def test_component_shares_fill_the_whole(ax: Axes) -> None:
    compute_budget.component_shares(ax, [1, 10], {"a": [1, 1], "b": [3, 1]}, xlabel="T")
    tops = [collection.get_paths()[0].vertices[:, 1].max() for collection in ax.collections]
    assert tops == pytest.approx([50, 100])
    assert labels(ax) == ["b", "a"]
