"""The figures of budgets: where FLOP go, which split of them is best, and what a model costs over its life."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS, ramp

__all__ = ["component_shares", "lifetime_cost", "loss_surface", "models_against_optimum"]

Curve = tuple[ArrayLike, ArrayLike]


def component_shares(ax: Axes, x: ArrayLike, parts: Mapping[str, ArrayLike], *, xlabel: str) -> Axes:
    """Draw which share of a whole each part has, stacked, over something that changes it.

    Args:
        ax: Where to draw; its horizontal axis becomes logarithmic.
        x: What changes.
        parts: The amount of each part at each x, by its name, from bottom to top.
        xlabel: What x is, with its unit.

    Returns:
        The same ax.
    """
    amounts = np.array([np.asarray(part, float) for part in parts.values()])
    ax.stackplot(x, 100 * amounts / amounts.sum(axis=0), labels=list(parts), colors=ramp(len(parts)), alpha=0.85)
    ax.set(xscale="log", xlabel=xlabel, ylabel="share (%)", ylim=(0, 100))
    ax.set_xlim(np.min(x), np.max(x))
    ax.grid(visible=False)
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def loss_surface(
    ax: Axes, parameters: ArrayLike, tokens: ArrayLike, losses: ArrayLike, *, optimum: Curve, budgets: ArrayLike = ()
) -> Axes:
    """Draw lines of equal loss over size and data, lines of equal compute, and the path of the best split.

    Args:
        ax: Where to draw; both of its axes become logarithmic.
        parameters: Sizes, the columns of ``losses``.
        tokens: Lengths of text, its rows.
        losses: In nats a token.
        optimum: Parameters and tokens along the path.
        budgets: FLOP of the lines of equal compute, with C = 6 N D.

    Returns:
        The same ax.
    """
    sizes = np.asarray(parameters, float)
    losses = np.asarray(losses, float)
    levels = losses.min() + np.ptp(losses) * np.geomspace(0.01, 0.9, 12)
    filled = ax.contourf(sizes, tokens, losses, levels=[losses.min(), *levels, losses.max()], cmap="cividis_r")
    ax.contour(sizes, tokens, losses, levels=levels, colors="white", linewidths=0.5)
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="training tokens")
    limits = ax.get_xlim(), ax.get_ylim()
    for budget in np.asarray(budgets, float).ravel():
        ax.plot(sizes, budget / 6 / sizes, ":", color=COLORS["ink"], linewidth=1.1)
    ax.plot(*optimum, color=COLORS["optimum"], linewidth=2.4)
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.figure.colorbar(filled, ax=ax, label="loss (nats per token)", format="%.2f")
    return ax


def models_against_optimum(ax: Axes, models: Mapping[str, tuple[float, float]], lines: Mapping[str, Curve]) -> Axes:
    """Draw known models by size and training tokens against lines that a law calls best.

    Args:
        ax: Where to draw; both of its axes become logarithmic.
        models: Parameters and training tokens by the model's name.
        lines: Parameters and tokens along each line, by the name of the law.

    Returns:
        The same ax.
    """
    styles = ["-", "--", ":", "-."]
    for (name, (sizes, tokens)), style in zip(lines.items(), styles, strict=False):
        ax.plot(sizes, tokens, style, color=COLORS["optimum"], linewidth=1.6, label=name)
    for name, (size, tokens) in models.items():
        ax.plot(size, tokens, "o", markersize=6, color=COLORS["ink"], zorder=3)
        crowded = any(other != name and 1 <= d / tokens < 3 and 0.5 < n / size < 2 for other, (n, d) in models.items())
        ax.annotate(name, (size, tokens), xytext=(7, -12 if crowded else 4), textcoords="offset points", fontsize=9)
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="training tokens")
    ax.margins(x=0.18, y=0.1)
    ax.legend(loc="lower right")
    return ax


def lifetime_cost(ax: Axes, parameters: ArrayLike, costs: Mapping[str, ArrayLike]) -> Axes:
    """Draw what a model costs over its size, at equal loss, one line for each demand, and mark the cheapest.

    Args:
        ax: Where to draw; both of its axes become logarithmic.
        parameters: Sizes.
        costs: FLOP of training and use at each size, by the name of the demand; infinite where no data suffice.

    Returns:
        The same ax.
    """
    sizes = np.asarray(parameters, float)
    lowest = np.inf
    for (name, values), color in zip(costs.items(), ramp(len(costs)), strict=True):
        values = np.where(np.isfinite(np.asarray(values, float)), values, np.nan)
        ax.plot(sizes, values, color=color, label=name)
        best = int(np.nanargmin(values))
        ax.plot(sizes[best], values[best], "*", markersize=11, color=COLORS["optimum"], zorder=3)
        lowest = min(lowest, values[best])
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="training and use (FLOP)")
    ax.set_ylim(0.6 * lowest, 300 * lowest)
    ax.legend(title="tokens served", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
