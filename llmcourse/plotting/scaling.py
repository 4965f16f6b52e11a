"""The figures of scaling laws: losses and their floors, the runs that a law is fitted to, and its exponents."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS, ramp

__all__ = ["envelope", "growth_exponent", "isoflop_parabolas", "power_law"]

Curve = tuple[ArrayLike, ArrayLike]


def power_law(
    ax: Axes, points: Mapping[str, Curve], curves: Sequence[Curve] = (), *, floor: float | None = None, xlabel: str
) -> Axes:
    """Draw losses over a resource, fitted curves through them, and the floor that they approach.

    Args:
        ax: Where to draw; both of its axes become logarithmic.
        points: The resource and the losses (nats a token) of each series, by its name.
        curves: The resource and the losses of laws: one for each series, in its colour, then others, in grey.
        floor: What no loss undercuts; drawn as a line and written beside it.
        xlabel: The resource with its unit.

    Returns:
        The same ax.
    """
    colors = ramp(len(points))
    for (name, (x, y)), color in zip(points.items(), colors, strict=True):
        ax.plot(x, y, "o", markersize=4.5, color=color, label=name)
    for number, (x, y) in enumerate(curves):
        ax.plot(x, y, linewidth=1.4, color=colors[number] if number < len(colors) else COLORS["reference"])
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="loss (nats per token)")
    if floor is not None:
        ax.axhline(floor, color=COLORS["floor"], linestyle="--", linewidth=1.4)
        ax.annotate(
            f"floor {floor:.3g}", (1, floor), xycoords=("axes fraction", "data"), xytext=(-4, 4),
            textcoords="offset points", ha="right", color=COLORS["floor"], fontsize=9,
        )  # fmt: skip
    _plain_losses(ax)
    if points:
        ax.legend(ncols=2 if len(points) > 4 else 1)
    return ax


def envelope(ax: Axes, parameters: ArrayLike, flops: ArrayLike, losses: ArrayLike, *, best: Curve) -> Axes:
    """Draw a training curve for each size over compute, and the lowest of them at each budget.

    Args:
        ax: Where to draw; both of its axes become logarithmic.
        parameters: The size of the model that each point belongs to.
        flops: Training FLOP up to each point.
        losses: The loss there, in nats a token.
        best: Budgets, and the least loss at each.

    Returns:
        The same ax.
    """
    parameters, flops, losses = np.asarray(parameters), np.asarray(flops), np.asarray(losses)
    sizes = np.unique(parameters)
    for size, color in zip(sizes, ramp(len(sizes)), strict=True):
        order = np.flatnonzero(parameters == size)
        order = order[np.argsort(flops[order])]
        ax.plot(flops[order], losses[order], color=color, linewidth=1.1, label=_short(size))
    ax.plot(*best, color=COLORS["optimum"], linewidth=5, alpha=0.35, label="envelope", solid_capstyle="round")
    ax.set(xscale="log", yscale="log", xlabel="compute (FLOP)", ylabel="loss (nats per token)")
    _plain_losses(ax)
    ax.legend(title="parameters", ncols=2)
    return ax


def isoflop_parabolas(
    ax: Axes, parameters: ArrayLike, flops: ArrayLike, losses: ArrayLike, *, optima: Curve = ((), ())
) -> Axes:
    """Draw the runs of each budget over their size, the parabola through them, and its lowest point.

    Args:
        ax: Where to draw; its horizontal axis becomes logarithmic.
        parameters: The size of each run.
        flops: Its budget; budgets within 1% are one.
        losses: Its loss, in nats a token.
        optima: The best size of each budget and the loss there.

    Returns:
        The same ax.
    """
    sizes, budgets, values = np.asarray(parameters), np.asarray(flops), np.asarray(losses)
    order = np.argsort(budgets)
    groups = np.split(order, np.flatnonzero(np.diff(np.log(budgets[order])) > 0.01) + 1)
    for group, color in zip(groups, ramp(len(groups)), strict=True):
        ax.plot(
            sizes[group], values[group], "o", markersize=4.5, color=color, label=f"{budgets[group].mean():.1e} FLOP"
        )
        log_sizes = np.log(sizes[group])
        fine = np.linspace(log_sizes.min(), log_sizes.max(), 60)
        parabola = np.polyfit(log_sizes - log_sizes.mean(), values[group], 2)
        ax.plot(np.exp(fine), np.polyval(parabola, fine - log_sizes.mean()), color=color, linewidth=1.2)
    ax.plot(*optima, "*", markersize=11, color=COLORS["optimum"], linestyle="none", zorder=3)
    ax.set(xscale="log", xlabel="parameters", ylabel="loss (nats per token)")
    ax.legend()
    return ax


def growth_exponent(
    ax: Axes, sizes: ArrayLike, exponents: ArrayLike, *, levels: Mapping[str, float], studied: tuple[float, float]
) -> Axes:
    """Draw how fast the best size grows with compute, at each size, and where a study looked.

    Args:
        ax: Where to draw; its horizontal axis becomes logarithmic.
        sizes: Parameters without embeddings.
        exponents: The slope of log N over log C at each.
        levels: Exponents to compare with, by their name.
        studied: The smallest and the largest model of the study.

    Returns:
        The same ax.
    """
    ax.axvspan(*studied, color=COLORS["faint"], alpha=0.6, linewidth=0)
    ax.plot(sizes, exponents, color=COLORS["optimum"])
    for name, level in levels.items():
        ax.axhline(level, color=COLORS["reference"], linestyle=":", linewidth=1.2)
        ax.annotate(
            name, (1, level), xycoords=("axes fraction", "data"), xytext=(-4, 3), textcoords="offset points",
            ha="right", fontsize=9, color=COLORS["ink"],
        )  # fmt: skip
    ax.set(xscale="log", xlabel="parameters without embeddings", ylabel="exponent of N in C")
    return ax


def _short(number: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def _plain_losses(ax: Axes) -> None:
    """Write losses as they are: over less than a decade powers of ten name too few of them."""
    ax.yaxis.set_major_formatter("{x:.3g}")
    ax.yaxis.set_minor_formatter("{x:.3g}")
