"""The figures of chapter 5 draw what they are given."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from llmcourse.plotting import alignment
from llmcourse.plotting.style import OKABE_ITO


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


def bars(ax: Axes) -> list[ErrorbarContainer]:
    return [container for container in ax.containers if isinstance(container, ErrorbarContainer)]


def test_clipped_objective_draws_each_advantage_and_both_borders(ax: Axes) -> None:
    alignment.clipped_objective(ax, [0.5, 1, 1.5], {"good": [0.5, 1, 1.2], "bad": [-0.8, -1, -1.5]}, clip=0.2)
    assert list(ax.lines[0].get_ydata()) == [0.5, 1, 1.2]
    assert [line.get_xdata()[0] for line in ax.lines[2:4]] == [0.8, 1.2]
    assert labels(ax) == ["good", "bad"]


def test_margin_losses_draw_each_loss_by_its_name(ax: Axes) -> None:
    alignment.margin_losses(ax, [-1, 0, 1], {"DPO": [1, 0.7, 0.3], "IPO": [4, 1, 0]}, xlabel="margin (nats)")
    assert list(ax.lines[1].get_ydata()) == [4, 1, 0]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()
    assert (labels(ax), ax.get_xlabel()) == (["DPO", "IPO"], "margin (nats)")


def test_reward_against_kl_has_a_point_for_each_strength_and_no_kl_below_zero(ax: Axes) -> None:
    points = {"PPO": [(20.0, 3.0, 0.2, 0.1), (0.1, 0.4, 0.8, 0.05)], "DPO": [(2.0, 0.3, 0.9, 0.02)]}
    alignment.reward_against_kl(ax, points, start=(0.0, 0.66))
    ppo, dpo = bars(ax)
    assert list(ppo[0].get_xdata()) == [20.0, 0.1]
    assert list(dpo[0].get_ydata()) == [0.9]
    horizontal = ppo[2][0].get_segments()
    assert horizontal[1][0][0] == pytest.approx(0.0)
    assert horizontal[0][0][0] == pytest.approx(17.0)
    assert set(labels(ax)) == {"reference", "PPO", "DPO"}
    assert dpo[0].get_color() == OKABE_ITO["orange"]


def test_path_bands_draw_the_mean_between_the_extremes(ax: Axes) -> None:
    alignment.path_bands(ax, [1, 2], {"true": [[0, 1], [2, 5]], "seen": [[3, 3]]}, xlabel="batches", ylabel="reward")
    assert list(ax.lines[0].get_ydata()) == [1, 3]
    corners = ax.collections[0].get_paths()[0].vertices
    assert (np.asarray(corners)[:, 1].min(), np.asarray(corners)[:, 1].max()) == (0, 5)
    assert labels(ax) == ["true", "seen"]


def test_over_strength_draws_intervals_at_the_settings_and_a_level(ax: Axes) -> None:
    alignment.over_strength(
        ax, {"a": [0.1, 1.0], "b": [0.5]}, {"a": ([1, 2], [0.1, 0.2]), "b": ([3], [0.3])},
        xlabel="beta", ylabel="length (tokens)", level=4.4,
    )  # fmt: skip
    first, second = bars(ax)
    assert list(first[0].get_ydata()) == [1, 2]
    assert second[2][0].get_segments()[0][:, 1] == pytest.approx([2.7, 3.3])
    assert set(ax.lines[0].get_ydata()) == {4.4}
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.1", "0.5", "1"]
