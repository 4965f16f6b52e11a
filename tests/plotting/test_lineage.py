"""The figures of chapter 7 draw what they are given."""

import itertools
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from llmcourse.plotting import lineage


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def dots(ax: Axes, marker: str = "o") -> list[Line2D]:
    return [line for line in ax.lines if line.get_marker() == marker and len(line.get_xdata())]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_timeline_puts_what_is_not_published_below_the_smallest(ax: Axes) -> None:
    lineage.timeline(ax, [2020.5, 2021.5, 2022.2], [1e9, np.nan, 1e11], ["A", "A", "Meta"], labels={1: "hidden"})
    of_a, of_meta = dots(ax)
    assert (list(of_a.get_xdata()), list(of_a.get_ydata())) == ([2020.5], [1e9])
    assert list(of_meta.get_ydata()) == [1e11]
    (hidden,) = dots(ax, "d")
    assert list(hidden.get_xdata()) == [2021.5] and hidden.get_ydata()[0] < 1e9
    assert hidden.get_color() == of_a.get_color() != of_meta.get_color()
    assert texts(ax) == ["size not published", "hidden"]
    assert list(ax.get_xticks()) == [2020, 2021, 2022, 2023]


def test_a_developer_has_one_colour_in_all_figures(ax: Axes) -> None:
    lineage.timeline(ax, [2020, 2021], [1e9, 1e9], ["Google", "OpenAI"])
    first = dots(ax)[1].get_color()
    ax.clear()
    lineage.tokens_per_parameter(ax, [2020], [5], ["OpenAI"])
    assert dots(ax)[0].get_color() == first
    assert len(set(lineage._colors(list(lineage._DEVELOPERS)).values())) == len(lineage._DEVELOPERS)


def test_family_tree_draws_a_line_from_each_parent_that_it_knows(ax: Axes) -> None:
    dates = {"A 1": 2020.0, "A 2": 2022.0, "A 3": 2022.1, "B 1": 2021.0}
    parents = {"A 2": ["A 1"], "A 3": ["A 2", "unknown"], "B 1": ["A 1"]}
    lineage.family_tree(ax, dates, parents, {name: name[0] for name in dates})
    arrows = [(text.xyann, text.xy) for text in ax.texts if text.arrow_patch is not None]
    assert sorted(arrows) == [((2020.0, 0), (2021.0, 2)), ((2020.0, 0), (2022.0, 0)), ((2022.0, 0), (2022.1, 1))]
    assert {"A", "B", *dates} <= set(texts(ax))
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_names_that_are_near_in_time_stand_in_rows_of_their_own() -> None:
    dates = {"a": 2020.0, "b": 2020.5, "c": 2021.2, "d": 2021.6}
    assert lineage._rows(list(dates), dates, {"b": ["a"]}) == {"a": 0, "b": 1, "c": 0, "d": 1}
    assert lineage._rows(list(dates), dates, {"b": ["a"], "c": ["b"]}) == {"a": 0, "b": 1, "c": 2, "d": 0}


def test_choices_by_year_writes_counts_and_colours_shares(ax: Axes) -> None:
    lineage.choices_by_year(ax, {"GQA": {2023: 3}, "MoE": {2022: 1, 2023: 1}}, {2022: 1, 2023: 4})
    assert texts(ax) == ["0/1", "3/4", "1/1", "1/4"]
    assert ax.images[0].get_array().tolist() == [[0, 0.75], [1, 0.25]]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["GQA", "MoE"]


def test_tokens_per_parameter_joins_both_counts_of_a_mixture_of_experts(ax: Axes) -> None:
    lineage.tokens_per_parameter(ax, [2022, 2024], [20, 22], ["A", "B"], active_ratios=[np.nan, 390], labels={1: "V3"})
    joined = [line for line in ax.lines if list(line.get_ydata()) == [22, 390]]
    hollow = [line for line in dots(ax) if line.get_markerfacecolor() == "white"]
    assert len(joined) == len(hollow) == 1 and list(hollow[0].get_ydata()) == [390]
    assert any(set(line.get_ydata()) == {20.0} and line.get_linestyle() == "-" for line in ax.lines)
    assert texts(ax) == ["Chinchilla's rule: 20", "V3"]
    legend = ax.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == [
        "A",
        "B",
        "per active\nparameter",
    ]


def test_names_do_not_cover_each_other(ax: Axes) -> None:
    x, y = np.array([2020.0, 2020.05, 2020.1]), np.array([1e9, 1.1e9, 1e9])
    lineage.timeline(ax, x, y, ["A"] * 3, labels={0: "the first name", 1: "the second name", 2: "the third name"})
    ax.figure.canvas.draw()
    named = [text for text in ax.texts if text.get_text().endswith("name")]
    for one, other in itertools.combinations(named, 2):
        assert not one.get_window_extent().overlaps(other.get_window_extent())


def test_cache_growth_draws_a_line_for_each_model_and_the_limit(ax: Axes) -> None:
    lineage.cache_growth(ax, [1, 10], {"A": [0.5, 5.0], "B": [0.1, 1.0]}, limit=4)
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[0.5, 5.0], [0.1, 1.0]]
    assert set(ax.lines[2].get_ydata()) == {4} and texts(ax) == ["4 GiB"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
