"""The figures of chapter 2: pairs that turn, scores by distance, heads that share, the block, and what choices do."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS

__all__ = [
    "attention_tiles",
    "block_data_flow",
    "differences",
    "head_sharing",
    "loss_by_length",
    "relative_heat_map",
    "rotated_pairs",
]


def rotated_pairs(ax: Axes, frequencies: ArrayLike, positions: Sequence[int]) -> Axes:
    """Draw a unit circle for each pair of features, and on it where (1, 0) has turned to at each position.

    Args:
        ax: Where to draw; its axes are hidden.
        frequencies: Radians per token of each pair.
        positions: Tokens' positions; the later, the stronger the arrow.

    Returns:
        The same ax.
    """
    rates = np.asarray(frequencies, dtype=float)
    for pair, rate in enumerate(rates):
        ax.add_patch(Circle((2.6 * pair, 0), 1, fc="none", ec=COLORS["faint"], linewidth=1.2))
        ax.text(2.6 * pair, -1.45, f"pair {pair}\n{rate:.3g} rad/token", ha="center", va="center", fontsize=9)
        for i, position in enumerate(positions):
            tip = 2.6 * pair + np.cos(position * rate), np.sin(position * rate)
            strength = 0.3 + 0.7 * (i + 1) / len(positions)
            _arrow(ax, (2.6 * pair, 0), tip, color=COLORS["position"], alpha=strength)
            label = 2.6 * pair + 1.17 * np.cos(position * rate), 1.17 * np.sin(position * rate)
            if i in (0, len(positions) - 1):
                ax.text(*label, str(position), ha="center", va="center", fontsize=8, color=COLORS["ink"])
    return _blank(ax, (-1.4, 2.6 * (len(rates) - 1) + 1.4), (-1.9, 1.4), equal=True)


def relative_heat_map(ax: Axes, scores: ArrayLike, *, label: str) -> Axes:
    """Draw a score for each position of the query and of the key, zero in white.

    Args:
        ax: Where to draw; its figure gets a colour bar.
        scores: One row for each query's position.
        label: What the scores are, with the unit.

    Returns:
        The same ax.
    """
    values = np.asarray(scores, dtype=float)
    limit = np.abs(values).max() or 1.0
    image = ax.imshow(values, cmap="PuOr_r", vmin=-limit, vmax=limit)
    ax.set_xlabel("position of the key, n")
    ax.set_ylabel("position of the query, m")
    ax.grid(visible=False)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85)
    bar.set_label(label)
    return ax


def head_sharing(ax: Axes, n_heads: int, n_kv_heads: int, *, title: str = "") -> Axes:
    """Draw query heads above and heads of keys and values below, each joined to the queries that it serves.

    Args:
        ax: Where to draw; its axes are hidden.
        n_heads: Query heads, a multiple of ``n_kv_heads``.
        n_kv_heads: Heads of keys and values.
        title: Stands above.

    Returns:
        The same ax.

    Raises:
        ValueError: Heads cannot be shared equally.
    """
    if n_kv_heads < 1 or n_heads % n_kv_heads:
        raise ValueError(f"{n_kv_heads} key-value heads cannot serve {n_heads} query heads equally: give a divisor")
    group = n_heads // n_kv_heads
    for head in range(n_kv_heads):
        centre = head * group + (group - 1) / 2
        for query in range(head * group, (head + 1) * group):
            ax.plot([query, centre], [1.62, 1.18], color=COLORS["reference"], linewidth=1)
        for y, name in ((0.94, "key"), (0.4, "value")):
            _box(ax, (centre, y), (0.72, 0.46), name[0].upper(), COLORS[name])
    for query in range(n_heads):
        _box(ax, (query, 1.86), (0.72, 0.46), "Q", COLORS["query"])
    ax.set_title(title)
    return _blank(ax, (-0.6, n_heads - 0.4), (0, 2.25))


def block_data_flow(ax: Axes) -> Axes:
    """Draw one block from left to right: two detours, each through a norm, that add to the residual stream.

    Args:
        ax: Where to draw; its axes are hidden.

    Returns:
        The same ax.
    """
    _arrow(ax, (-0.2, 0), (12.9, 0), color=COLORS["residual"], width=2.6)
    ax.text(-0.35, 0, "x", ha="right", va="center", style="italic")
    ax.text(13.0, 0, "to the next block", ha="left", va="center", fontsize=9)
    _detour(ax, 0.4, (("RMSNorm", "norm"), ("q, k, v", "query"), ("RoPE on\nq and k", "position"), ("GQA", "key")))
    _detour(ax, 8.0, (("RMSNorm", "norm"), ("SwiGLU", "feed_forward")))
    return _blank(ax, (-0.8, 15.6), (-0.7, 2.4))


def _detour(ax: Axes, start: float, steps: Sequence[tuple[str, str]]) -> None:
    """Draw boxes in a row above the stream, an arrow up to the first, and one down from the last into a sum."""
    xs = [start + 0.75 + 1.65 * i for i in range(len(steps))]
    _arrow(ax, (xs[0], 0), (xs[0], 1.22), color=COLORS["reference"])
    for x, (label, color) in zip(xs, steps, strict=True):
        _box(ax, (x, 1.6), (1.4, 0.76), label, COLORS[color])
    for left, right in pairwise(xs):
        _arrow(ax, (left + 0.7, 1.6), (right - 0.7, 1.6), color=COLORS["reference"])
    end = xs[-1] + 1.25
    ax.plot([xs[-1] + 0.7, end], [1.6, 1.6], color=COLORS["reference"], linewidth=1.2)
    _arrow(ax, (end, 1.6), (end, 0.26), color=COLORS["reference"])
    ax.add_patch(Circle((end, 0), 0.26, fc="white", ec=COLORS["residual"], linewidth=1.6, zorder=3))
    ax.text(end, -0.01, "+", ha="center", va="center", zorder=4)


def attention_tiles(ax: Axes, n_tokens: int, block_size: int) -> Axes:
    """Draw the tiles of causal attention: computed whole, cut by the diagonal, never touched.

    Args:
        ax: Where to draw.
        n_tokens: Queries, and as many keys.
        block_size: Tokens along each side of a tile.

    Returns:
        The same ax.
    """
    looks = {"whole": COLORS["query"], "masked": COLORS["position"], "skipped": "none"}
    for row in range(0, n_tokens, block_size):
        for column in range(0, n_tokens, block_size):
            kind = "whole" if column < row else "masked" if column == row else "skipped"
            size = min(block_size, n_tokens - column), min(block_size, n_tokens - row)
            tile = Rectangle((column, row), *size, fc=looks[kind], ec=COLORS["reference"], alpha=0.6, linewidth=1)
            tile.set_label(kind if row == block_size * (kind == "whole") and column <= block_size else "")
            ax.add_patch(tile)
    ax.set(xlim=(0, n_tokens), ylim=(n_tokens, 0), aspect="equal", xlabel="keys (tokens)", ylabel="queries (tokens)")
    ax.grid(visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
    return ax


def differences(ax: Axes, values: Mapping[str, ArrayLike], *, label: str, half_widths: Mapping[str, float]) -> Axes:
    """Draw for each choice the mean of paired differences with its interval, and every difference as a dot.

    Args:
        ax: Where to draw.
        values: Differences, one for each seed, by the name of the choice; from top to bottom.
        label: What the differences are, with the unit.
        half_widths: From the mean to either end of each choice's interval.

    Returns:
        The same ax.
    """
    for row, (name, each) in enumerate(values.items()):
        found = np.asarray(each, dtype=float)
        ax.scatter(found, np.full(len(found), row + 0.2), s=14, color=COLORS["reference"], alpha=0.6, zorder=2)
        ax.errorbar(
            found.mean(), row, xerr=half_widths[name], fmt="o", color=COLORS["query"], capsize=4, markersize=5, zorder=3
        )
    ax.axvline(0, color=COLORS["ink"], linewidth=1, linestyle=":")
    ax.set_yticks(range(len(values)), list(values))
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.set_xlabel(label)
    ax.grid(axis="y", visible=False)
    return ax


def loss_by_length(ax: Axes, stretches: Sequence[str], losses: Mapping[str, ArrayLike]) -> Axes:
    """Draw the loss inside and beyond the trained length, one line for each choice, thin ones for each seed.

    Args:
        ax: Where to draw.
        stretches: Labels of the stretches of positions, from near to far.
        losses: (seeds, stretches) in nats a token, by the name of the choice.

    Returns:
        The same ax.
    """
    places = np.arange(len(stretches))
    for name, values in losses.items():
        seeds = np.asarray(values, dtype=float)
        (line,) = ax.plot(places, seeds.mean(axis=0), marker="o", markersize=4, label=name)
        ax.plot(places, seeds.T, color=line.get_color(), linewidth=0.7, alpha=0.4)
    ax.set_xticks(places, stretches)
    ax.set_xlabel("positions (tokens)")
    ax.set_ylabel("loss (nats per token)")
    ax.legend()
    return ax


def _box(ax: Axes, centre: tuple[float, float], size: tuple[float, float], label: str, color: str) -> None:
    corner = centre[0] - size[0] / 2, centre[1] - size[1] / 2
    style = "round,pad=0,rounding_size=0.08"
    ax.add_patch(FancyBboxPatch(corner, *size, boxstyle=style, fc=color, ec="none", alpha=0.5, zorder=2))
    ax.text(*centre, label, ha="center", va="center", fontsize=8.5, color=COLORS["ink"], zorder=3)


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    color: str,
    alpha: float = 1.0,
    width: float = 1.4,
) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=10, shrinkA=0, shrinkB=0, color=color, alpha=alpha, lw=width
        )
    )


def _blank(ax: Axes, xlim: tuple[float, float], ylim: tuple[float, float], *, equal: bool = False) -> Axes:
    ax.set_xlim(*xlim)
    ax.set_ylim(*ylim)
    if equal:
        ax.set_aspect("equal")
    ax.set_axis_off()
    return ax
