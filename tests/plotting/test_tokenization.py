"""The figures of chapter 1 draw what they are given."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from llmcourse.plotting import COLORS, tokenization


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def test_token_rows_draw_a_chip_for_each_token_and_show_blanks(ax: Axes) -> None:
    tokenization.token_rows(ax, {"one": ["low", " er"], "two": ["\n"]})
    assert sum(isinstance(patch, FancyBboxPatch) for patch in ax.patches) == 3
    assert [text.get_text() for text in ax.texts] == ["low", "␣er", "↵"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]


def test_token_rows_keep_a_colour_that_is_asked_for(ax: Axes) -> None:
    tokenization.token_rows(ax, {"one": ["a", "b"]}, colors={"b": "#123456"})
    assert ax.patches[1].get_facecolor()[:3] == pytest.approx((0x12 / 255, 0x34 / 255, 0x56 / 255))


def test_utf8_columns_give_each_character_its_bytes(ax: Axes) -> None:
    tokenization.utf8_columns(ax, "a€")
    assert [text.get_text() for text in ax.texts] == ["a", "U+0061", "61", "€", "U+20AC", "E2", "82", "AC"]
    assert len({patch.get_facecolor() for patch in ax.patches[3:]}) == 1


def test_compression_curve_names_each_line_at_its_end(ax: Axes) -> None:
    tokenization.compression_curve(ax, [256, 512], {"train": [1, 2.0], "held out": [1, 1.5]})
    assert [text.get_text() for text in ax.texts] == ["train", "held out"]
    assert list(ax.lines[1].get_ydata()) == [1, 1.5]
    assert ax.get_xscale() == "log"


def test_tokens_by_language_spans_from_least_to_most(ax: Axes) -> None:
    tokenization.tokens_by_language(ax, ["English", "Tamil"], {"a": [1, 9], "b": [1, 4]})
    (spans, *_) = ax.collections
    assert spans.get_segments()[1][:, 0].tolist() == [4, 9]


def test_rank_frequency_sorts_and_leaves_out_what_never_occurs(ax: Axes) -> None:
    tokenization.rank_frequency(ax, {"words": [1, 0, 5]})
    assert list(ax.lines[0].get_ydata()) == [5, 1]


def test_lattice_colours_the_best_path(ax: Axes) -> None:
    scores = {(0, 1): -2.0, (1, 2): -2.5, (0, 2): -3.0}
    tokenization.lattice(ax, "ab", scores, [(0, 2)])
    arcs = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert [arc.get_linewidth() for arc in arcs] == [0.9, 0.9, 2.2]
    assert ax.texts[2].get_color() == COLORS["unigram"]


def test_update_histogram_counts_each_group(ax: Axes) -> None:
    tokenization.update_histogram(ax, {"a": np.zeros(3), "b": np.ones(2)}, label="x")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a (3)", "b (2)"]
