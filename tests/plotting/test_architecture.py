"""The figures of chapter 2 draw what they are given."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from llmcourse.plotting import COLORS, architecture


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def boxes(ax: Axes) -> list[FancyBboxPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def test_rotated_pairs_turn_each_pair_by_its_own_rate(ax: Axes) -> None:
    architecture.rotated_pairs(ax, [np.pi / 2, 0.0], [0, 1])
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    tips = [arrow.get_path().vertices[-1] for arrow in arrows]
    assert len(arrows) == 4
    # The last point of an arrow's path lies on the head, near the tip.
    assert [arrow._posA_posB[1] for arrow in arrows][1] == pytest.approx((0, 1))
    assert [arrow._posA_posB[1] for arrow in arrows][3] == pytest.approx((3.6, 0))
    assert np.isfinite(tips).all()


def test_relative_heat_map_is_white_at_zero(ax: Axes) -> None:
    architecture.relative_heat_map(ax, [[1.0, -3.0], [0.0, 2.0]], label="score")
    (image,) = ax.images
    assert image.get_clim() == (-3.0, 3.0)
    assert image.get_array().tolist() == [[1.0, -3.0], [0.0, 2.0]]


@pytest.mark.parametrize(("n_heads", "n_kv_heads"), [(8, 8), (8, 2), (8, 1)])
def test_head_sharing_draws_every_head_and_joins_every_query(ax: Axes, n_heads: int, n_kv_heads: int) -> None:
    architecture.head_sharing(ax, n_heads, n_kv_heads, title="x")
    assert len(boxes(ax)) == n_heads + 2 * n_kv_heads
    ends = [float(line.get_xdata()[1]) for line in ax.lines]
    assert len(ends) == n_heads
    assert len(set(ends)) == n_kv_heads


def test_head_sharing_refuses_heads_that_cannot_be_shared(ax: Axes) -> None:
    with pytest.raises(ValueError, match="3 key-value heads cannot serve 8 query heads"):
        architecture.head_sharing(ax, 8, 3)


def test_block_has_a_norm_before_each_of_two_sums(ax: Axes) -> None:
    architecture.block_data_flow(ax)
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("RMSNorm") == 2
    assert texts.count("+") == 2
    colors = {to_hex(box.get_facecolor()).upper() for box in boxes(ax)}
    assert {COLORS["norm"], COLORS["position"], COLORS["feed_forward"]} <= colors


def test_attention_tiles_tell_whole_cut_and_skipped_ones_apart(ax: Axes) -> None:
    architecture.attention_tiles(ax, 10, 4)
    tiles = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert len(tiles) == 9
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["masked", "skipped", "whole"]
    assert (tiles[-1].get_width(), tiles[-1].get_height()) == (2, 2)


def test_differences_draw_mean_interval_and_every_seed(ax: Axes) -> None:
    architecture.differences(ax, {"a": [1.0, 3.0], "b": [0.0, 0.5]}, label="nats", half_widths={"a": 0.5, "b": 0.1})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    container = ax.containers[0]
    (segment,) = container.lines[2][0].get_segments()
    assert segment[:, 0].tolist() == [1.5, 2.5]
    assert ax.collections[0].get_offsets()[:, 0].tolist() == [1.0, 3.0]


def test_loss_by_length_draws_the_mean_and_each_seed(ax: Axes) -> None:
    architecture.loss_by_length(ax, ["1-2", "3-4"], {"rope": [[1.0, 2.0], [3.0, 4.0]]})
    assert list(ax.lines[0].get_ydata()) == [2.0, 3.0]
    assert len(ax.lines) == 3
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1-2", "3-4"]
