"""The figures' style: colours that colour-blind readers can tell apart, and the same colour for the same concept.

The palette is Okabe and Ito's (2008, "Color Universal Design"). A figure stands on a light card in both colour modes
of the book, so its colours are chosen for a light ground only.
"""

from typing import Any, Final

import numpy as np
from matplotlib import colormaps

__all__ = ["COLORS", "OKABE_ITO", "ramp", "use_style"]

OKABE_ITO: Final[dict[str, str]] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}

COLORS: Final[dict[str, str]] = {
    "bpe": OKABE_ITO["blue"],
    "unigram": OKABE_ITO["vermillion"],
    "characters": OKABE_ITO["orange"],
    "words": OKABE_ITO["green"],
    "bytes": OKABE_ITO["purple"],
    "train": OKABE_ITO["blue"],
    "held_out": OKABE_ITO["orange"],
    "optimum": OKABE_ITO["vermillion"],
    "floor": OKABE_ITO["purple"],
    "query": OKABE_ITO["blue"],
    "key": OKABE_ITO["orange"],
    "value": OKABE_ITO["green"],
    "position": OKABE_ITO["vermillion"],
    "norm": OKABE_ITO["purple"],
    "feed_forward": OKABE_ITO["sky"],
    "parameters": OKABE_ITO["green"],
    "gradients": OKABE_ITO["orange"],
    "optimizer": OKABE_ITO["blue"],
    "activations": OKABE_ITO["sky"],
    "forward": OKABE_ITO["blue"],
    "backward": OKABE_ITO["orange"],
    "communication": OKABE_ITO["vermillion"],
    "residual": "#1F2430",
    "reference": "#5C6370",
    "ink": "#1F2430",
    "faint": "#D9DCE3",
}

_STYLE: Final[dict[Any, Any]] = {
    "figure.figsize": (7.2, 3.6),
    "figure.dpi": 110,
    "savefig.dpi": 160,
    "savefig.bbox": "tight",
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "white",
    "axes.edgecolor": COLORS["reference"],
    "axes.labelcolor": COLORS["ink"],
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLORS["faint"],
    "grid.linewidth": 0.6,
    "xtick.color": COLORS["reference"],
    "ytick.color": COLORS["reference"],
    "xtick.labelcolor": COLORS["ink"],
    "ytick.labelcolor": COLORS["ink"],
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "font.family": "DejaVu Sans",  # the one font that matplotlib carries, so that figures are the same everywhere
    "font.size": 10,
    "svg.hashsalt": "llmcourse",
}


def use_style() -> None:
    """Set matplotlib to the style of the course; the first cell of each chapter calls this.

    Example:
        >>> use_style()
        >>> import matplotlib
        >>> matplotlib.rcParams["axes.spines.top"]
        False
    """
    import matplotlib
    from cycler import cycler

    order = ["blue", "orange", "green", "vermillion", "purple", "sky", "black"]
    matplotlib.rcParams.update(_STYLE)
    matplotlib.rcParams["axes.prop_cycle"] = cycler(color=[OKABE_ITO[name] for name in order])
    _draw_sharply_in_notebooks()


def _draw_sharply_in_notebooks() -> None:
    try:
        from IPython.core.getipython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        # Without bbox_inches=None the inline backend crops each figure to another size than was asked for.
        set_matplotlib_formats("retina")


def ramp(n: int) -> list[tuple[float, float, float, float]]:
    """Return colours from dark to bright for the steps of an ordered quantity.

    Args:
        n: How many steps.

    Returns:
        Red, green, blue and opacity of each; the brightest of the map would be lost on white and is left out.

    Example:
        >>> sums = [sum(color[:3]) for color in ramp(5)]
        >>> sums == sorted(sums)
        True
    """
    return [colormaps["viridis"](value) for value in np.linspace(0.0, 0.82, n)]
