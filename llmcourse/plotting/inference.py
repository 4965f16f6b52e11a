"""The figures of chapter 6: costs over contexts, rooflines, codes of numbers, occupancy, and what speculation gains."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS, OKABE_ITO

__all__ = [
    "block_occupancy",
    "code_values",
    "cost_over_context",
    "quality_over_bits",
    "roofline",
    "share_over_time",
    "speedup_over_draft_length",
]

_LINES = ("vermillion", "blue", "green", "orange", "purple")
_MARKERS = "osD^v"


def cost_over_context(ax: Axes, contexts: ArrayLike, curves: Mapping[str, ArrayLike], *, ylabel: str) -> Axes:
    """Draw what a token costs over the length of the text before it.

    Args:
        ax: Where to draw; its horizontal axis becomes logarithmic, with ticks at the contexts.
        contexts: Tokens.
        curves: Costs at each context, by name.
        ylabel: The cost with its unit.

    Returns:
        The same ax.
    """
    for (name, values), color, marker in zip(curves.items(), _LINES, _MARKERS, strict=False):
        ax.plot(contexts, values, color=OKABE_ITO[color], marker=marker, markersize=5, label=name)
    ticks = np.asarray(contexts).tolist()
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.set(xlabel="tokens of context", ylabel=ylabel)
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def roofline(
    ax: Axes,
    points: Mapping[int, tuple[float, float]],
    *,
    peak_flops_per_s: float,
    bandwidth_bytes_per_s: float,
) -> Axes:
    """Draw what a machine can do at each arithmetic intensity, and what was measured.

    Args:
        ax: Where to draw; both axes become logarithmic.
        points: Intensity in FLOP per byte and FLOP per second that were reached, by number of tokens.
        peak_flops_per_s: The level part of the roof.
        bandwidth_bytes_per_s: The slope of the other part.

    Returns:
        The same ax.
    """
    ridge = peak_flops_per_s / bandwidth_bytes_per_s
    intensities = [x for x, _ in points.values()]
    low, high = min([*intensities, ridge]) / 2, max([*intensities, ridge]) * 4
    x = np.geomspace(low, high, 200)
    ax.plot(x, np.minimum(peak_flops_per_s, bandwidth_bytes_per_s * x) / 1e9, color=COLORS["ink"], linewidth=1.5)
    ax.axvline(ridge, color=COLORS["reference"], linestyle="--", linewidth=1)
    for n, (intensity, rate) in points.items():
        ax.plot(intensity, rate / 1e9, "o", color=OKABE_ITO["vermillion"], markersize=5)
        ax.annotate(f"{n}", (intensity, rate / 1e9), xytext=(5, -11), textcoords="offset points", fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel="arithmetic intensity (FLOP per byte)", ylabel="GFLOP/s")
    return ax


def code_values(ax: Axes, rows: Mapping[str, ArrayLike], *, density: tuple[ArrayLike, ArrayLike] | None = None) -> Axes:
    """Draw which numbers the codes of a format stand for, a row of ticks for each format.

    Args:
        ax: Where to draw.
        rows: Values by the format's name, from the top.
        density: Numbers and how often they occur, drawn behind.

    Returns:
        The same ax.
    """
    n = len(rows)
    if density is not None:
        x, y = (np.asarray(each, dtype=float) for each in density)
        ax.fill_between(x, -0.5, -0.5 + n * y / y.max(), color=COLORS["faint"], alpha=0.6, linewidth=0)
    for number, ((name, values), color) in enumerate(zip(rows.items(), _LINES, strict=False)):
        height = n - 1 - number
        ax.vlines(np.asarray(values, dtype=float), height - 0.32, height + 0.32, color=OKABE_ITO[color], linewidth=1.6)
        ax.axhline(height, color=OKABE_ITO[color], linewidth=0.5)
        ax.annotate(name, (0, height), xycoords=("axes fraction", "data"), xytext=(-6, -3), ha="right",
                    textcoords="offset points", color=COLORS["ink"], fontsize=9)  # fmt: skip
    ax.set(yticks=[], ylim=(-0.5, n - 0.5), xlabel="value, as a share of the block's largest magnitude")
    ax.grid(visible=False)
    return ax


def quality_over_bits(ax: Axes, points: Mapping[str, Sequence[tuple[float, float]]], *, ylabel: str) -> Axes:
    """Draw what is lost at so many bits per weight.

    Args:
        ax: Where to draw; its vertical axis becomes logarithmic.
        points: Bits per weight, scales among them, and the loss, in order of bits, by method.
        ylabel: What is lost, with its unit.

    Returns:
        The same ax.
    """
    colors = list(OKABE_ITO.values())
    for number, (name, pairs) in enumerate(points.items()):
        bits, values = np.asarray(pairs, dtype=float).T
        color = colors[(5, 6, 3, 1, 7, 2, 0)[number % 7]]
        ax.plot(bits, values, color=color, marker="osD^vPX"[number % 7], markersize=6, linewidth=1.1, label=name)
    ax.set(yscale="log", xlabel="bits per weight, scales included", ylabel=ylabel)
    ax.legend(ncols=2, fontsize=8)
    return ax


def share_over_time(ax: Axes, series: Mapping[str, tuple[ArrayLike, ArrayLike]], *, ylabel: str) -> Axes:
    """Draw a share over time as steps, one band for each series.

    Args:
        ax: Where to draw.
        series: Times in seconds, and the share from each on, by name.
        ylabel: The share.

    Returns:
        The same ax.
    """
    for (name, (times, shares)), color in zip(series.items(), _LINES, strict=False):
        ax.step(np.asarray(times), np.asarray(shares), where="post", color=OKABE_ITO[color], label=name, linewidth=1.1)
    ax.set(xlabel="time (s)", ylabel=ylabel, ylim=(0, 1.05))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(series))
    return ax


def block_occupancy(ax: Axes, holders: ArrayLike, *, n_requests: int) -> Axes:
    """Draw who holds each block of a paged cache, over the steps of an engine.

    Args:
        ax: Where to draw.
        holders: A row for each block and a column for each step: the number of the request, -1 where the block is
            free, and ``n_requests`` where several share it.
        n_requests: Requests are numbered from 0 to below this.

    Returns:
        The same ax.
    """
    palette = [OKABE_ITO[name] for name in ("blue", "orange", "green", "vermillion", "purple", "sky", "yellow")]
    colors = ["#FFFFFF", *(palette[i % len(palette)] for i in range(n_requests)), COLORS["ink"]]
    table = np.asarray(holders)
    ax.imshow(table + 1, cmap=ListedColormap(colors), vmin=0, vmax=n_requests + 1, aspect="auto",
              interpolation="nearest", origin="lower")  # fmt: skip
    ax.set(xlabel="step of the engine", ylabel="block", yticks=range(0, len(table), max(1, len(table) // 5)))
    ax.grid(visible=False)
    return ax


def speedup_over_draft_length(
    ax: Axes, lengths: ArrayLike, curves: Mapping[str, ArrayLike], *, ylabel: str = "times as fast"
) -> Axes:
    """Draw what speculation gains over the tokens that are drafted in a round, with the best of each curve marked.

    Args:
        ax: Where to draw.
        lengths: Tokens that are drafted.
        curves: Gains at each length, by name.
        ylabel: The gain.

    Returns:
        The same ax.
    """
    ax.axhline(1, color=COLORS["reference"], linewidth=1)
    x = np.asarray(lengths)
    for (name, values), color in zip(curves.items(), _LINES, strict=False):
        y = np.asarray(values, dtype=float)
        ax.plot(x, y, color=OKABE_ITO[color], marker="o", markersize=3, label=name)
        best = int(y.argmax())
        ax.plot(x[best], y[best], "o", color=OKABE_ITO[color], markersize=8, fillstyle="none")
    ax.set(xlabel="tokens drafted in a round", ylabel=ylabel)
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax
