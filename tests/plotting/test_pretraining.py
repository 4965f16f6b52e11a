"""The figures of chapter 4 draw what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from llmcourse.plotting import pretraining


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def test_learning_curve_has_both_losses_and_the_levels(ax):
    pretraining.learning_curve(
        ax, ([1, 2, 3], [3.0, 2.0, 1.5]), ([2, 3], [2.1, 1.7]), levels={"gzip": 2.5}, ylabel="bits per byte"
    )
    training, held_out, level = ax.lines
    assert training.get_ydata().tolist() == [3.0, 2.0, 1.5]
    assert held_out.get_xdata().tolist() == [2, 3]
    assert set(level.get_ydata()) == {2.5}
    assert [text.get_text() for text in ax.texts] == ["gzip"]
    assert ax.get_ylabel() == "bits per byte"


def test_detection_curves_are_one_a_choice_with_the_counts_as_points(ax):
    x = np.linspace(0, 1, 5)
    pretraining.detection_curves(ax, x, {"a": x, "b": x**2}, measured=([0.5], [0.4]))
    assert [line.get_ydata().tolist() for line in ax.lines] == [x.tolist(), (x**2).tolist(), [0.4]]
    assert len({line.get_color() for line in ax.lines}) == 3
