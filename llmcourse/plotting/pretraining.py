"""The figures of chapter 4: a run's loss, its gradients, and which near-duplicates are found."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS

__all__ = ["detection_curves", "learning_curve"]


def learning_curve(
    ax: Axes,
    training: tuple[ArrayLike, ArrayLike],
    held_out: tuple[ArrayLike, ArrayLike],
    *,
    levels: Mapping[str, float],
    ylabel: str,
) -> Axes:
    """Draw a run's loss in training, on held-out text, and levels to compare with.

    Args:
        ax: Where to draw.
        training: Steps and losses.
        held_out: Steps and losses.
        levels: Horizontal lines, by name.
        ylabel: What the loss is, with the unit.

    Returns:
        The same ax.
    """
    ax.plot(*training, color=COLORS["train"], linewidth=0.9, alpha=0.75, label="training batches")
    ax.plot(*held_out, color=COLORS["held_out"], marker="o", markersize=5, label="held out")
    left = np.asarray(training[0]).min()
    for name, level in levels.items():
        ax.axhline(level, color=COLORS["reference"], linestyle="--", linewidth=1.1)
        ax.text(left, level, name, ha="left", va="bottom", fontsize=9, color=COLORS["ink"])
    ax.set(xlabel="step", ylabel=ylabel)
    ax.legend()
    return ax


def detection_curves(
    ax: Axes,
    similarity: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    measured: tuple[ArrayLike, ArrayLike] | None = None,
) -> Axes:
    """Draw how likely two documents are to be compared, over how similar they are.

    Args:
        ax: Where to draw.
        similarity: Jaccard similarities.
        curves: For each choice of bands, the probability at each of them.
        measured: Similarities and shares that were counted, as points.

    Returns:
        The same ax.
    """
    for color, (name, probability) in zip(("query", "key", "value", "norm"), curves.items(), strict=False):
        ax.plot(similarity, probability, color=COLORS[color], label=name)
    if measured is not None:
        ax.plot(*measured, linestyle="", marker="o", markersize=5, color=COLORS["ink"], label="counted")
    ax.set(xlabel="Jaccard similarity of two documents", ylabel="probability of being found", xlim=(0, 1))
    ax.legend()
    return ax
