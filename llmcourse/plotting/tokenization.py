"""The figures of chapter 1: tokens as chips, vocabulary size against length, what languages pay, the lattice."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from numpy.typing import ArrayLike

from llmcourse.plotting.style import COLORS, OKABE_ITO

__all__ = [
    "compression_curve",
    "lattice",
    "rank_frequency",
    "token_rows",
    "tokens_by_language",
    "update_histogram",
    "utf8_columns",
]

_CHIPS = [OKABE_ITO[name] for name in ("sky", "orange", "green", "purple", "yellow")]


def token_rows(ax: Axes, rows: Mapping[str, Sequence[str]], *, colors: Mapping[str, str] | None = None) -> Axes:
    """Draw each row's tokens as chips from left to right, as wide as their text.

    Args:
        ax: Where to draw; its axes are hidden.
        rows: Tokens by the label of their row, from top to bottom. Spaces are drawn as U+2423, line ends as U+21B5.
        colors: A fixed colour for some tokens; the others take turns.

    Returns:
        The same ax.
    """
    widest = 1.0
    for y, tokens in enumerate(rows.values()):
        x = 0.0
        for i, token in enumerate(tokens):
            shown = token.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") or "∅"
            width = 0.62 * len(shown) + 0.5
            _chip(ax, (x, y), width, shown, (colors or {}).get(token, _CHIPS[i % len(_CHIPS)]))
            x += width + 0.14
        widest = max(widest, x)
    return _rows_of_chips(ax, list(rows), widest)


def utf8_columns(ax: Axes, text: str) -> Axes:
    """Draw each character in a column of its own: the character, its code point, its bytes in UTF-8.

    Args:
        ax: Where to draw; its axes are hidden.
        text: Characters that the figures' font has.

    Returns:
        The same ax.
    """
    x = 0.0
    for i, character in enumerate(text):
        color, encoded = _CHIPS[i % len(_CHIPS)], character.encode()
        width = max(4.2, 1.9 * len(encoded))
        _chip(ax, (x, 0), width, character.replace(" ", "␣"), color)
        _chip(ax, (x, 1), width, f"U+{ord(character):04X}", color)
        for k, byte in enumerate(encoded):
            _chip(ax, (x + k * width / len(encoded), 2), width / len(encoded) - 0.06, f"{byte:02X}", color)
        x += width + 0.2
    return _rows_of_chips(ax, ["character", "code point", "bytes"], x)


def _chip(ax: Axes, corner: tuple[float, float], width: float, shown: str, color: str) -> None:
    x, y = corner
    style = "round,pad=0,rounding_size=0.18"
    ax.add_patch(FancyBboxPatch((x, y - 0.34), width, 0.68, boxstyle=style, fc=color, ec="none", alpha=0.55))
    ax.text(x + width / 2, y, shown, ha="center", va="center", family="DejaVu Sans Mono", color=COLORS["ink"])


def _rows_of_chips(ax: Axes, labels: Sequence[str], widest: float) -> Axes:
    ax.set_xlim(-0.1, widest)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


def compression_curve(ax: Axes, vocab_sizes: ArrayLike, bytes_per_token: Mapping[str, ArrayLike]) -> Axes:
    """Draw bytes per token over the vocabulary's size, one line for each text.

    Args:
        ax: Where to draw; its horizontal axis becomes logarithmic.
        vocab_sizes: Numbers of tokens in the vocabulary.
        bytes_per_token: Bytes of UTF-8 per token at each size, by the name of the text.

    Returns:
        The same ax.
    """
    for name, values in bytes_per_token.items():
        (line,) = ax.plot(vocab_sizes, values, marker="o", markersize=3.5)
        ax.annotate(
            name, (np.asarray(vocab_sizes)[-1], np.asarray(values)[-1]), xytext=(6, 0), textcoords="offset points",
            va="center", color=line.get_color(), fontsize=9,
        )  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xlabel("vocabulary (tokens)")
    ax.set_ylabel("bytes per token")
    return ax


def tokens_by_language(ax: Axes, languages: Sequence[str], tokens: Mapping[str, ArrayLike]) -> Axes:
    """Draw how many tokens each language needs for the same text, one dot for each tokenizer.

    Args:
        ax: Where to draw.
        languages: The rows, from top to bottom.
        tokens: Tokens relative to English (a ratio) in the order of ``languages``, by the name of the tokenizer.

    Returns:
        The same ax.
    """
    rows = np.arange(len(languages))
    values = np.asarray(list(tokens.values()), dtype=float)
    ax.hlines(rows, values.min(axis=0), values.max(axis=0), color=COLORS["faint"], linewidth=3, zorder=1)
    for name, each in tokens.items():
        ax.scatter(each, rows, s=26, label=name, zorder=2)
    ax.axvline(1.0, color=COLORS["reference"], linewidth=1, linestyle=":")
    ax.set_yticks(rows, languages, fontsize=8.5)
    ax.set_ylim(len(languages) - 0.4, -0.6)
    ax.set_xlabel("tokens for the same text, as a multiple of English")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper right")
    return ax


def rank_frequency(ax: Axes, counts: Mapping[str, ArrayLike]) -> Axes:
    """Draw how often a token occurs over its rank, both logarithmic, with the slope of Zipf's law for comparison.

    Args:
        ax: Where to draw.
        counts: Occurrences of each token, in any order, by the name of the unit; the line of slope -1 starts at the
            first unit's most frequent token.

    Returns:
        The same ax.
    """
    top = 0.0
    for name, values in counts.items():
        ordered = np.sort(np.asarray(values, dtype=float))[::-1]
        ordered = ordered[ordered > 0]
        top = top or ordered[0]
        ax.loglog(np.arange(1, len(ordered) + 1), ordered, label=name, color=COLORS.get(name))
    ranks = np.geomspace(1, top, 50)
    ax.loglog(ranks, top / ranks, color=COLORS["reference"], linestyle=":", linewidth=1.2, label="1 / rank")
    ax.set_ylim(bottom=0.8)
    ax.set_xlabel("rank")
    ax.set_ylabel("occurrences")
    ax.legend()
    return ax


def lattice(ax: Axes, text: str, scores: Mapping[tuple[int, int], float], best: Sequence[tuple[int, int]]) -> Axes:
    """Draw every piece that fits into a text as an arc, and the best segmentation in colour.

    Args:
        ax: Where to draw; its axes are hidden.
        text: The text, one node between each two characters.
        scores: Log-probability in nats of the piece from ``start`` to ``end``.
        best: The pieces of the best segmentation, from left to right.

    Returns:
        The same ax.
    """
    for (start, end), score in scores.items():
        chosen = (start, end) in set(best)
        color = COLORS["unigram"] if chosen else COLORS["reference"]
        middle, height = (start + end) / 2, 0.3 * (end - start - 1)
        curve = Path([(start, 0), (middle, 2 * height), (end, 0)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        width = 2.2 if chosen else 0.9
        ax.add_patch(
            FancyArrowPatch(
                path=curve, arrowstyle="-|>", mutation_scale=9, color=color, linewidth=width, zorder=1 + chosen
            )
        )
        label = f"{text[start:end]}  {score:.1f}"
        ax.text(middle, height + 0.07, label, ha="center", va="center", fontsize=8.5, color=color)
    ax.scatter(range(len(text) + 1), np.zeros(len(text) + 1), s=40, color=COLORS["ink"], zorder=3)
    ax.set_xlim(-0.3, len(text) + 0.3)
    ax.set_ylim(-0.15, 0.3 * max(end - start for start, end in scores))
    ax.set_axis_off()
    return ax


def update_histogram(ax: Axes, distances: Mapping[str, ArrayLike], *, label: str) -> Axes:
    """Draw how a quantity of the tokens is distributed, one outline for each group.

    Args:
        ax: Where to draw.
        distances: Values of the tokens by the name of their group.
        label: What the values are, with the unit.

    Returns:
        The same ax.
    """
    everything = np.concatenate([np.asarray(values, dtype=float) for values in distances.values()])
    bins = np.linspace(everything.min(), everything.max(), 41)
    for name, values in distances.items():
        ax.hist(values, bins=bins, histtype="stepfilled", alpha=0.55, label=f"{name} ({len(np.asarray(values)):,})")
    ax.set_xlabel(label)
    ax.set_ylabel("tokens")
    ax.legend()
    return ax
