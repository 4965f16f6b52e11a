"""The figures of chapter 5: clipping, reward against distance, what a judge sees against what is true, strengths."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS, OKABE_ITO

__all__ = ["clipped_objective", "margin_losses", "over_strength", "path_bands", "reward_against_kl"]

_METHODS = {
    "SFT": "black",
    "PPO": "blue",
    "DPO": "orange",
    "ORPO": "green",
    "SimPO": "vermillion",
    "GRPO": "purple",
    "RLAIF": "sky",
}
_MARKERS = "osD^vPX"


def _color(name: str, number: int) -> str:
    """A method has one colour in all figures, whatever stands after its name."""
    known = _METHODS.get(name.split()[0].rstrip(","))
    return OKABE_ITO[known or list(_METHODS.values())[1 + number % 6]]


def clipped_objective(ax: Axes, ratios: ArrayLike, objectives: Mapping[str, ArrayLike], *, clip: float) -> Axes:
    """Draw PPO's objective over the ratio, one line for each advantage.

    Args:
        ax: Where to draw.
        ratios: How much likelier a token has become.
        objectives: The objective at each ratio, by what the line is called.
        clip: Where it is cut: at 1 less and 1 plus this, two dashed lines.

    Returns:
        The same ax.
    """
    for (name, values), color in zip(objectives.items(), ("blue", "vermillion", "green"), strict=False):
        ax.plot(ratios, values, color=OKABE_ITO[color], label=name)
    for border in (1 - clip, 1 + clip):
        ax.axvline(border, color=COLORS["reference"], linestyle="--", linewidth=1)
    ax.plot([1], [0], "o", color=COLORS["ink"], markersize=4)
    ax.set(xlabel="ratio of the token's probability, now over then", ylabel="objective")
    ax.legend()
    return ax


def margin_losses(ax: Axes, margins: ArrayLike, losses: Mapping[str, ArrayLike], *, xlabel: str) -> Axes:
    """Draw losses of a pair over how far the chosen answer is ahead.

    Args:
        ax: Where to draw.
        margins: How far.
        losses: Values at each margin, by name.
        xlabel: What a margin is, with its unit.

    Returns:
        The same ax.
    """
    for number, (name, values) in enumerate(losses.items()):
        ax.plot(margins, values, color=list(OKABE_ITO.values())[(5, 6, 3, 1)[number % 4]], label=name)
    ax.axvline(0, color=COLORS["reference"], linewidth=1)
    ax.set(xlabel=xlabel, ylabel="loss of the pair")
    ax.legend()
    return ax


def reward_against_kl(
    ax: Axes,
    points: Mapping[str, Sequence[tuple[float, float, float, float]]],
    *,
    start: tuple[float, float],
    ylabel: str = "true reward",
) -> Axes:
    """Draw where each method ends: the reward it has over the distance it went, one point for each strength.

    Args:
        ax: Where to draw; its horizontal axis becomes a root, so that what is near and what is far can both be seen.
        points: KL, half-width of its interval, reward and half-width, for each strength in order, by method.
        start: KL and reward of the reference.
        ylabel: The reward.

    Returns:
        The same ax.
    """
    ax.plot(
        *start, "*", color=COLORS["ink"], markersize=12, label="reference", linestyle="none", clip_on=False, zorder=5
    )
    for number, (name, rows) in enumerate(points.items()):
        kl, kl_half, reward, reward_half = np.asarray(rows, dtype=float).T
        low = np.minimum(kl_half, kl)  # no KL is below 0
        ax.errorbar(
            kl, reward, yerr=reward_half, xerr=(low, kl_half), color=_color(name, number), label=name,
            marker=_MARKERS[number % len(_MARKERS)], markersize=5, linewidth=1.1, elinewidth=0.8, capsize=2,
        )  # fmt: skip
    greatest = max(row[0] + row[1] for rows in points.values() for row in rows)
    ax.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    ax.set_xlim(0, greatest * 1.05)
    ax.set_xticks([tick for tick in (0, 0.5, 1, 2, 4, 8, 16, 32) if tick <= greatest])
    ax.set(xlabel="KL from the reference (nats per answer)", ylabel=ylabel)
    ax.legend(ncols=2, loc="lower right")
    return ax


def path_bands(ax: Axes, x: ArrayLike, runs: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str) -> Axes:
    """Draw the mean of several runs over time, and between which values they lie.

    Args:
        ax: Where to draw.
        x: The time.
        runs: A row of values for each run, by name.
        xlabel: The time with its unit.
        ylabel: The value with its unit.

    Returns:
        The same ax.
    """
    for number, (name, rows) in enumerate(runs.items()):
        values = np.atleast_2d(np.asarray(rows, dtype=float))
        color = list(OKABE_ITO.values())[(5, 6, 3, 7)[number % 4]]
        ax.fill_between(x, values.min(0), values.max(0), color=color, alpha=0.18, linewidth=0)
        ax.plot(x, values.mean(0), color=color, label=name, linestyle=("-", "--", "-.", ":")[number % 4])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax


def over_strength(
    ax: Axes,
    strengths: Mapping[str, ArrayLike],
    values: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    level: float | None = None,
) -> Axes:
    """Draw a measured value over a setting, with intervals.

    Args:
        ax: Where to draw; its horizontal axis becomes logarithmic.
        strengths: The settings of each series, by name.
        values: Means and half-widths of each, by the same names.
        xlabel: The setting.
        ylabel: The value with its unit.
        level: Where a grey line is drawn: the value of the reference.

    Returns:
        The same ax.
    """
    if level is not None:
        ax.axhline(level, color=COLORS["reference"], linewidth=1)
    for number, (name, (means, halves)) in enumerate(values.items()):
        color = list(OKABE_ITO.values())[(5, 6, 3, 7)[number % 4]]
        ax.errorbar(
            strengths[name], means, yerr=halves, color=color, label=name, marker=_MARKERS[number % len(_MARKERS)],
            markersize=5, linewidth=1.2, elinewidth=0.9, capsize=3,
        )  # fmt: skip
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    ticks = sorted({float(x) for series in strengths.values() for x in np.asarray(series).ravel()})
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.legend()
    return ax
