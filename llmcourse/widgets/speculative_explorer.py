"""An explorer of speculative decoding: acceptance, draft length and cost, and what they gain."""

from pathlib import Path
from typing import Any

import traitlets

from llmcourse.inference import expected_speedup, expected_tokens
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["SpeculativeExplorer"]

_HERE = Path(__file__).parent
_LONGEST = 16


class SpeculativeExplorer(StaticWidget):
    r"""Move the acceptance, the draft's length and its cost, and see tokens a round and how many times as fast it is.

    The closed forms are :func:`llmcourse.inference.expected_tokens` and
    :func:`llmcourse.inference.expected_speedup`, which take acceptances to be independent.

    Args:
        acceptance: The probability that a drafted token is kept, from 0 to 0.99.
        draft_length: Tokens drafted in a round, from 1 to 16.
        cost_ratio: Time of a draft's step over that of the model's, from 0 to 0.5.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is out of its range.

    Examples:
        >>> explorer = SpeculativeExplorer(acceptance=0.8, draft_length=4, cost_ratio=0.05)
        >>> explorer.tokens, round(explorer.speedup, 2), explorer.best_length
        (3.3616, 2.8, 8)
        >>> explorer
        SpeculativeExplorer(acceptance 0.8, 4 drafted, cost ratio 0.05)
    """

    _esm = _HERE / "speculative_explorer.js"
    _css = styled(_HERE / "loss_curve.css")
    caption = "An interactive figure, the speculative decoding explorer: it runs in the book's pages and in JupyterLab."

    acceptance = traitlets.Float(0.8).tag(sync=True)
    draft_length = traitlets.Int(4).tag(sync=True)
    cost_ratio = traitlets.Float(0.05).tag(sync=True)

    def __init__(
        self, *, acceptance: float = 0.8, draft_length: int = 4, cost_ratio: float = 0.05, **traits: Any
    ) -> None:
        ranges = {
            "acceptance": (acceptance, 0, 0.99),
            "draft_length": (draft_length, 1, _LONGEST),
            "cost_ratio": (cost_ratio, 0, 0.5),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: it has to be from {low} to {high}")
        super().__init__(acceptance=acceptance, draft_length=draft_length, cost_ratio=cost_ratio, **traits)

    @property
    def tokens(self) -> float:
        """Tokens that a round gives on average."""
        return expected_tokens(self.acceptance, self.draft_length)

    @property
    def speedup(self) -> float:
        """How many times as fast as plain decoding."""
        return expected_speedup(self.acceptance, self.draft_length, self.cost_ratio)

    @property
    def best_length(self) -> int:
        """The draft length up to 16 that gains most; 0 where acceptance is no greater than the cost ratio."""
        lengths = range(_LONGEST + 1)
        return max(lengths, key=lambda n: expected_speedup(self.acceptance, n, self.cost_ratio))

    def __repr__(self) -> str:
        drafted = f"{self.draft_length} drafted"
        return f"SpeculativeExplorer(acceptance {self.acceptance:g}, {drafted}, cost ratio {self.cost_ratio:g})"
