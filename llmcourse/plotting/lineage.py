"""The figures of chapter 7: when models came and from which, how choices spread, and how long models were trained."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS, OKABE_ITO

__all__ = ["cache_growth", "choices_by_year", "family_tree", "timeline", "tokens_per_parameter"]

# One colour for each developer in all figures, and some for those that are not among them.
_DEVELOPERS = {
    "Ai2": COLORS["reference"],
    "Alibaba": OKABE_ITO["orange"],
    "Anthropic": OKABE_ITO["vermillion"],
    "DeepSeek": OKABE_ITO["green"],
    "Google": OKABE_ITO["purple"],
    "Meta": OKABE_ITO["blue"],
    "Mistral AI": OKABE_ITO["sky"],
    "OpenAI": OKABE_ITO["black"],
}
_OTHERS = ("yellow", "sky", "green", "orange")


def timeline(
    ax: Axes, dates: ArrayLike, parameters: ArrayLike, groups: Sequence[str], *, labels: Mapping[int, str] | None = None
) -> Axes:
    """Draw models by date and size, a colour for each developer; those without a published size in a row below.

    Args:
        ax: Where to draw; its vertical axis becomes logarithmic.
        dates: Of release, in years with a fraction.
        parameters: In all; NaN where it is not published.
        groups: The developer of each.
        labels: Names to write, by the model's number.

    Returns:
        The same ax.
    """
    x, y = np.asarray(dates, float), np.asarray(parameters, float)
    known = np.isfinite(y)
    bottom = y[known].min() / 6
    heights = np.where(known, y, bottom)
    for group, color in _colors(groups).items():
        of_group = np.array([each == group for each in groups])
        ax.plot(x[of_group & known], y[of_group & known], "o", markersize=6, alpha=0.85, color=color, label=group)
        if (hidden := of_group & ~known).any():
            ax.plot(x[hidden], heights[hidden], "d", markersize=6, markerfacecolor="none", color=color)
    ax.axhline(bottom * 2.2, color=COLORS["faint"], linewidth=1)
    ax.annotate(
        "size not published", (0, bottom), xycoords=("axes fraction", "data"), xytext=(6, 0),
        textcoords="offset points", va="center", fontsize=9, color=COLORS["reference"],
    )  # fmt: skip
    ax.set(yscale="log", xlabel="year", ylabel="parameters", xlim=(np.floor(x.min()) - 0.1, np.ceil(x.max()) + 0.05))
    ax.set_ylim(bottom / 4, y[known].max() * 4)
    _write_labels(ax, x, heights, labels or {})
    ax.xaxis.set_major_locator(_whole_years(x))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def family_tree(
    ax: Axes, dates: Mapping[str, float], parents: Mapping[str, Sequence[str]], groups: Mapping[str, str]
) -> Axes:
    """Draw each release at its date in the band of its developer, and a line from the one that it came from.

    Args:
        ax: Where to draw.
        dates: Of each release, in years with a fraction, by its name.
        parents: The releases that each came from; those without a date are left out.
        groups: The developer of each release.

    Returns:
        The same ax.
    """
    bands, rows = list(dict.fromkeys(groups[name] for name in sorted(dates, key=dates.__getitem__))), {}
    top, colors = 0, _colors([groups[name] for name in dates])
    for band in bands:
        names = sorted((name for name in dates if groups[name] == band), key=dates.__getitem__)
        rows |= {name: top + row for name, row in _rows(names, dates, parents).items()}
        height = max(rows[name] for name in names) - top + 1
        ax.axhspan(top - 0.5, top + height - 0.5, color=colors[band], alpha=0.07, linewidth=0)
        ax.annotate(
            band, (0, top + (height - 1) / 2), xycoords=("axes fraction", "data"), xytext=(-8, 0),
            textcoords="offset points", ha="right", va="center", color=colors[band], fontweight="bold",
        )  # fmt: skip
        top += height
    for name, row in rows.items():
        for parent in (parent for parent in parents.get(name, ()) if parent in dates):
            ax.annotate(
                "", (dates[name], row), (dates[parent], rows[parent]),
                arrowprops={"arrowstyle": "-|>", "color": COLORS["reference"], "linewidth": 0.9, "shrinkB": 4},
            )  # fmt: skip
        ax.plot(dates[name], row, "o", markersize=6, color=colors[groups[name]], zorder=3)
        ax.annotate(name, (dates[name], row), xytext=(4, 5), textcoords="offset points", fontsize=8)
    ax.set(xlabel="year", ylim=(top - 0.4, -0.9), yticks=[])
    low, high = min(dates.values()), max(dates.values())
    ax.set_xlim(low - 0.2, high + 0.8)
    ax.xaxis.set_major_locator(_whole_years(np.array(list(dates.values()))))
    ax.grid(axis="y", visible=False)
    return ax


def choices_by_year(ax: Axes, counts: Mapping[str, Mapping[int, int]], totals: Mapping[int, int]) -> Axes:
    """Draw which share of a year's releases made each choice, with the counts in the cells.

    Args:
        ax: Where to draw.
        counts: How many releases of each year made a choice, by the choice and the year.
        totals: How many releases of each year have published what they are built of.

    Returns:
        The same ax.
    """
    years = sorted(totals)
    shares = np.array([[counts[name].get(year, 0) / totals[year] for year in years] for name in counts])
    ax.imshow(shares, cmap=colormaps["Blues"], vmin=0, vmax=1.25, aspect="auto")
    for row, name in enumerate(counts):
        for column, year in enumerate(years):
            text = f"{counts[name].get(year, 0)}/{totals[year]}"
            color = "white" if shares[row, column] > 0.6 else COLORS["ink"]
            ax.text(column, row, text, ha="center", va="center", fontsize=9, color=color)
    ax.set_xticks(range(len(years)), [str(year) for year in years])
    ax.set_yticks(range(len(counts)), list(counts))
    ax.set(xlabel="year of release")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    return ax


def tokens_per_parameter(
    ax: Axes,
    dates: ArrayLike,
    ratios: ArrayLike,
    groups: Sequence[str],
    *,
    active_ratios: ArrayLike | None = None,
    labels: Mapping[int, str] | None = None,
    optimum: float = 20.0,
) -> Axes:
    """Draw how many tokens models saw for each of their parameters, by date, against a rule.

    Args:
        ax: Where to draw; its vertical axis becomes logarithmic.
        dates: Of release, in years with a fraction.
        ratios: Training tokens over all parameters.
        groups: The developer of each.
        active_ratios: Training tokens over the parameters that work on a token, where these differ; NaN elsewhere.
        labels: Names to write, by the model's number.
        optimum: The rule's tokens per parameter.

    Returns:
        The same ax.
    """
    x, y = np.asarray(dates, float), np.asarray(ratios, float)
    active = np.full_like(y, np.nan) if active_ratios is None else np.asarray(active_ratios, float)
    for group, color in _colors(groups).items():
        of_group = np.array([each == group for each in groups])
        ax.plot(x[of_group], y[of_group], "o", markersize=6, alpha=0.85, color=color, label=group)
        for number in np.flatnonzero(of_group & np.isfinite(active)):
            ax.plot([x[number]] * 2, [y[number], active[number]], color=color, linewidth=1)
            ax.plot(x[number], active[number], "o", markersize=6, markerfacecolor="white", color=color)
    if np.isfinite(active).any():
        ax.plot([], [], "o", markersize=6, markerfacecolor="white", color=COLORS["ink"], label="per active\nparameter")
    ax.axhline(optimum, color=COLORS["optimum"], linewidth=1.6)
    ax.annotate(
        f"Chinchilla's rule: {optimum:g}", (0, optimum), xycoords=("axes fraction", "data"), xytext=(6, 5),
        textcoords="offset points", color=COLORS["optimum"], fontsize=9,
    )  # fmt: skip
    ax.set(yscale="log", xlabel="year", ylabel="training tokens per parameter")
    ax.set_xlim(np.floor(x.min()) - 0.1, np.ceil(x.max()) + 0.05)
    _write_labels(ax, x, y, labels or {})
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_locator(_whole_years(x))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def cache_growth(ax: Axes, lengths: ArrayLike, caches: Mapping[str, ArrayLike], *, limit: float | None = None) -> Axes:
    """Draw how large caches of keys and values are, by the length of the text.

    Args:
        ax: Where to draw; both of its axes become logarithmic.
        lengths: Tokens.
        caches: GiB at each length, by the name of the model.
        limit: A memory in GiB, drawn as a line.

    Returns:
        The same ax.
    """
    x = np.asarray(lengths, float)
    for name, sizes in caches.items():
        ax.plot(x, np.asarray(sizes, float), label=name)
    if limit is not None:
        ax.axhline(limit, color=COLORS["reference"], linestyle="--", linewidth=1.2)
        ax.annotate(
            f"{limit:g} GiB", (0, limit), xycoords=("axes fraction", "data"), xytext=(6, 4),
            textcoords="offset points", fontsize=9, color=COLORS["reference"],
        )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="tokens", ylabel="keys and values (GiB)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _colors(groups: Sequence[str]) -> dict[str, str]:
    """Return a colour for each group, in the order of the alphabet."""
    others = sorted(set(groups) - set(_DEVELOPERS))
    spare = {name: OKABE_ITO[_OTHERS[number % len(_OTHERS)]] for number, name in enumerate(others)}
    return {name: (_DEVELOPERS | spare)[name] for name in sorted(set(groups))}


def _write_labels(ax: Axes, x: np.ndarray, y: np.ndarray, labels: Mapping[int, str]) -> None:
    """Write names beside their points, each where it covers no other name and no point, if there is such a place."""
    size, places = 8.0, [(-1, 1), (1, 1), (-1, -1), (1, -1), (-1, 3), (1, 3), (-1, -3), (1, -3)]
    scale = ax.figure.dpi / 72
    dots = ax.transData.transform(np.column_stack([x, y]))
    taken = [(px - 3 * scale, py - 3 * scale, px + 3 * scale, py + 3 * scale) for px, py in dots]
    for number, text in labels.items():
        px, py = dots[number]
        width, height = 0.6 * size * scale * len(text), 1.25 * size * scale
        boxes = {}
        for side, rise in places:
            left = px - 5 * scale - width if side < 0 else px + 5 * scale
            low = py + rise * 5 * scale - height / 2
            boxes[side, rise] = (left, low, left + width, low + height)
        inside = [place for place, box in boxes.items() if ax.bbox.x0 <= box[0] and box[2] <= ax.bbox.x1]
        free = (place for place in inside if not any(_overlap(boxes[place], other) for other in taken))
        side, rise = next(free, places[0])
        taken.append(boxes[side, rise])
        ax.annotate(
            text, (x[number], y[number]), xytext=(5 * side, 5 * rise), textcoords="offset points",
            ha="right" if side < 0 else "left", va="center", fontsize=size,
        )  # fmt: skip


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _rows(
    names: Sequence[str], dates: Mapping[str, float], parents: Mapping[str, Sequence[str]], gap: float = 0.95
) -> dict[str, int]:
    """Place names, in order of date, in their parent's row or the next below it that has room for ``gap`` years."""
    last: list[float] = []
    rows: dict[str, int] = {}
    for name in names:
        first = max((rows[parent] for parent in parents.get(name, ()) if parent in rows), default=0)
        order = [*range(first, len(last)), len(last)]
        room = next(row for row in order if row == len(last) or dates[name] - last[row] >= gap)
        last[room : room + 1] = [dates[name]]
        rows[name] = room
    return rows


def _whole_years(x: np.ndarray) -> FixedLocator:
    return FixedLocator(list(range(int(np.floor(x.min())), int(np.ceil(x.max())) + 1)))
