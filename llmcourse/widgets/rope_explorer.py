"""An explorer of rotary position embedding: how far a pair has turned, and what that does to a product of vectors."""

import math
from pathlib import Path
from typing import Any

import traitlets

from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["RoPEExplorer"]

_HERE = Path(__file__).parent
MAX_POSITION = 4096


class RoPEExplorer(StaticWidget):
    r"""Choose a pair, a base and a position, and see the pair's angle and the product of a query and a key.

    Query and key are the same vector of ones, so that without rotation their product is ``head_dim``. Rotated by a
    distance of ``position`` tokens, each pair gives 2 cos(position * frequency), and the product is their sum
    (Su et al. 2021, arXiv:2104.09864, section 3.4.3, on its decay with distance).

    Args:
        head_dim: Features of a head, an even number of at most 256.
        theta: The base of the frequencies.
        pair: Which pair is drawn, from 0.
        position: How many tokens it has turned for, at most 4,096.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is out of its range.

    Examples:
        >>> explorer = RoPEExplorer(head_dim=4, theta=100.0, pair=1, position=10)
        >>> round(explorer.angle, 6), round(explorer.product(0), 6)
        (1.0, 1.0)
        >>> explorer
        RoPEExplorer(head_dim=4, theta=100, pair=1, position=10)
    """

    _esm = _HERE / "rope_explorer.js"
    _css = styled(_HERE / "rope_explorer.css")
    caption = "An interactive figure, the RoPE explorer: it runs in the book's pages and in JupyterLab."

    head_dim = traitlets.Int(64).tag(sync=True)
    theta = traitlets.Float(10000.0).tag(sync=True)
    pair = traitlets.Int(0).tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, head_dim: int = 64, *, theta: float = 10000.0, pair: int = 0, position: int = 8, **traits: Any
    ) -> None:
        if head_dim < 2 or head_dim % 2 or head_dim > 256:
            raise ValueError(f"head_dim is {head_dim}: it has to be even, from 2 to 256")
        self.set_trait("head_dim", head_dim)
        super().__init__(theta=theta, pair=pair, position=position, **traits)

    @traitlets.validate("theta")
    def _above_one(self, proposal: dict[str, Any]) -> float:
        if not 10 <= proposal["value"] <= 1e7:
            raise ValueError(f"theta is {proposal['value']}: it has to be from 10 to 10,000,000")
        return proposal["value"]

    @traitlets.validate("pair")
    def _a_pair(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] < self.head_dim // 2:
            raise ValueError(f"pair is {proposal['value']}: it has to be from 0 to {self.head_dim // 2 - 1}")
        return proposal["value"]

    @traitlets.validate("position")
    def _a_position(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] <= MAX_POSITION:
            raise ValueError(f"position is {proposal['value']}: it has to be from 0 to {MAX_POSITION}")
        return proposal["value"]

    def frequency(self, pair: int) -> float:
        """Return the radians by which a pair turns from one token to the next."""
        return self.theta ** (-2 * pair / self.head_dim)

    @property
    def angle(self) -> float:
        """The angle of the chosen pair at the chosen position, in radians."""
        return self.position * self.frequency(self.pair)

    def product(self, distance: int) -> float:
        """Return the product of query and key over ``head_dim``, so that it is 1 at distance 0.

        Args:
            distance: Tokens between the two.

        Returns:
            A number from -1 to 1.
        """
        pairs = range(self.head_dim // 2)
        return sum(math.cos(distance * self.frequency(pair)) for pair in pairs) / len(pairs)

    def __repr__(self) -> str:
        sizes = f"head_dim={self.head_dim}, theta={self.theta:g}, pair={self.pair}, position={self.position}"
        return f"RoPEExplorer({sizes})"
