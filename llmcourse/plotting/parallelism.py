"""The figures of distributed training: who holds what, what is sent, and when a pipeline's stages are busy."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from llmcourse.plotting.style import COLORS

__all__ = ["data_parallel_ring", "memory_by_part", "pipeline_chart", "tensor_parallel_flow"]

_PARTS = ("parameters", "gradients", "optimizer", "activations")


def data_parallel_ring(ax: Axes, n_devices: int) -> Axes:
    """Draw devices that each hold the whole model and a share of the batch, and the ring that adds gradients up.

    Args:
        ax: Where to draw; its axes are hidden.
        n_devices: At least 2.

    Returns:
        The same ax.

    Raises:
        ValueError: There is no ring of one.
    """
    if n_devices < 2:
        raise ValueError(f"n_devices is {n_devices}: a ring takes at least 2")
    for device in range(n_devices):
        x = 3.0 * device
        _box(ax, x, 1.35, 2.1, 0.62, "faint", f"batch, part {device}")
        _box(ax, x, 0.35, 2.1, 0.9, "parameters", "whole model")
        _box(ax, x, -0.75, 2.1, 0.62, "gradients", "gradients")
        _arrow(ax, (x, 1.02), (x, 0.83))
        _arrow(ax, (x, -0.12), (x, -0.42))
        if device:
            _arrow(ax, (x - 1.93, -0.75), (x - 1.07, -0.75), color="communication")
    last = 3.0 * (n_devices - 1)
    for start, end in (((last, -1.08), (last, -1.5)), ((last, -1.5), (0, -1.5))):
        ax.plot(*zip(start, end, strict=True), color=COLORS["communication"], linewidth=1.6)
    _arrow(ax, (0, -1.52), (0, -1.08), color="communication")
    ax.text(last / 2, -1.72, "all-reduce: the sum of all, everywhere", ha="center", va="top", fontsize=9)
    return _blank(ax, (-1.3, last + 1.3), (-2.15, 1.8))


def tensor_parallel_flow(ax: Axes) -> Axes:
    """Draw a feed-forward layer over two devices: columns, then rows, with one all-reduce each way.

    Args:
        ax: Where to draw; its axes are hidden.

    Returns:
        The same ax.
    """
    _box(ax, 0, 0, 1.0, 0.7, "faint", "$x$")
    _box(ax, 1.75, 0, 0.7, 0.7, "communication", "$f$")
    _box(ax, 9.45, 0, 0.7, 0.7, "communication", "$g$")
    _box(ax, 11.2, 0, 1.0, 0.7, "faint", "$y$")
    _arrow(ax, (0.52, 0), (1.38, 0))
    _arrow(ax, (9.82, 0), (10.68, 0))
    for y, device in ((0.85, 0), (-0.85, 1)):
        _box(ax, 3.9, y, 2.0, 0.9, "query", f"columns of $W_1$\npart {device}")
        _box(ax, 5.9, y, 0.9, 0.7, "norm", "SiLU")
        _box(ax, 7.75, y, 1.7, 0.9, "value", f"rows of $W_2$\npart {device}")
        _arrow(ax, (2.12, 0.1 * y), (2.88, y))
        _arrow(ax, (4.92, y), (5.43, y))
        _arrow(ax, (6.37, y), (6.88, y))
        _arrow(ax, (8.62, y), (9.1, 0.2 * y))
        ax.text(12.2, y, f"device {device}", fontsize=9, va="center", color=COLORS["reference"])
    ax.text(1.75, -1.55, "forward: copy\nbackward: all-reduce", ha="center", va="top", fontsize=8.5)
    ax.text(9.45, -1.55, "forward: all-reduce\nbackward: copy", ha="center", va="top", fontsize=8.5)
    return _blank(ax, (-0.7, 13.4), (-2.5, 1.5))


def pipeline_chart(ax: Axes, slots: Sequence[tuple[int, tuple[str, int], float, float]], *, title: str = "") -> Axes:
    """Draw which micro-batch each stage works on over time; white is the bubble.

    Args:
        ax: Where to draw.
        slots: Stage, ("forward" or "backward", micro-batch), start and end of each pass.
        title: Stands above.

    Returns:
        The same ax.
    """
    n_stages = 1 + max(stage for stage, _, _, _ in slots)
    for stage, (kind, microbatch), start, end in slots:
        color = COLORS[kind]
        ax.add_patch(Rectangle((start, stage - 0.42), end - start, 0.84, fc=color, ec="white", linewidth=1))
        ink = "white" if kind == "forward" else COLORS["ink"]
        ax.text((start + end) / 2, stage, str(microbatch), ha="center", va="center", fontsize=7.5, color=ink)
    ax.set(xlim=(0, max(end for _, _, _, end in slots)), ylim=(n_stages - 0.5, -0.5), yticks=range(n_stages))
    ax.set_yticklabels([f"stage {stage}" for stage in range(n_stages)])
    ax.set_title(title, fontsize=10)
    ax.set_xlabel("time (forward passes of one stage)")
    ax.grid(visible=False)
    return ax


def memory_by_part(ax: Axes, layouts: Mapping[str, Mapping[str, float]], *, limit: float | None = None) -> Axes:
    """Draw what one device holds under each layout, part on part, in GB.

    Args:
        ax: Where to draw.
        layouts: For each layout, bytes by part: "parameters", "gradients", "optimizer", "activations".
        limit: A device's bytes, as a line.

    Returns:
        The same ax.
    """
    names, left = list(layouts), np.zeros(len(layouts))
    for part in _PARTS:
        if not any(part in layout for layout in layouts.values()):
            continue
        sizes = np.array([layouts[name].get(part, 0.0) for name in names]) / 1e9
        ax.barh(names, sizes, left=left, height=0.62, color=COLORS[part], label=part)
        left = left + sizes
    for row, whole in enumerate(left):
        ax.text(whole, row, f"  {whole:.1f}", va="center", fontsize=9)
    if limit is not None:
        ax.axvline(limit / 1e9, color=COLORS["communication"], linestyle="--", linewidth=1.3)
        ax.text(limit / 1e9, -0.62, f" {limit / 1e9:.0f} GB", color=COLORS["ink"], fontsize=9, va="bottom")
    ax.invert_yaxis()
    ax.set_xlabel("GB on one device")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower right")
    return ax


def _box(ax: Axes, x: float, y: float, width: float, height: float, concept: str, text: str) -> None:
    place = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.12"
    color = COLORS[concept]
    ax.add_patch(FancyBboxPatch(place, width, height, boxstyle=style, fc=color, ec=color, alpha=0.35, linewidth=1.2))
    ax.text(x, y, text, ha="center", va="center", fontsize=9, color=COLORS["ink"])


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], *, color: str = "reference") -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.4}
    ax.add_patch(FancyArrowPatch(start, end, color=COLORS[color], **style))


def _blank(ax: Axes, xlim: tuple[float, float], ylim: tuple[float, float]) -> Axes:
    ax.set(xlim=xlim, ylim=ylim)
    ax.axis("off")
    return ax
