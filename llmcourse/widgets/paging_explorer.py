"""An explorer of paged memory: two answers to one prompt, block by block."""

from pathlib import Path
from typing import Any

import traitlets

from llmcourse.inference import BlockTables
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["PagingExplorer"]

_HERE = Path(__file__).parent
_RANGES = {"block_size": (1, 16), "n_prompt": (1, 40), "n_first": (0, 24), "n_second": (0, 24)}


class PagingExplorer(StaticWidget):
    r"""Two answers to one prompt: which blocks they share, which are copied when one writes, and what stays empty.

    The blocks are those of :class:`llmcourse.inference.BlockTables`: the prompt is read, the second answer is forked
    from the first, the first writes, then the second.

    Args:
        block_size: Tokens in a block, from 1 to 16.
        n_prompt: Tokens of the prompt, from 1 to 40.
        n_first: Tokens that the first answer has written, up to 24.
        n_second: Those of the second.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is out of its range.

    Examples:
        >>> explorer = PagingExplorer(block_size=4, n_prompt=6, n_first=1, n_second=3)
        >>> explorer.blocks  # the half-full second block was copied for the first, who wrote first
        ((0, 2), (0, 1, 3))
        >>> explorer.n_blocks, explorer.n_unshared
        (4, 5)
        >>> explorer
        PagingExplorer(blocks of 4, a prompt of 6, answers of 1 and 3)
    """

    _esm = _HERE / "paging_explorer.js"
    _css = styled(_HERE / "paging_explorer.css")
    caption = "An interactive figure, the paging explorer: it runs in the book's pages and in JupyterLab."

    block_size = traitlets.Int(4).tag(sync=True)
    n_prompt = traitlets.Int(10).tag(sync=True)
    n_first = traitlets.Int(5).tag(sync=True)
    n_second = traitlets.Int(9).tag(sync=True)

    def __init__(
        self, *, block_size: int = 4, n_prompt: int = 10, n_first: int = 5, n_second: int = 9, **traits: Any
    ) -> None:
        given = {"block_size": block_size, "n_prompt": n_prompt, "n_first": n_first, "n_second": n_second}
        for name, value in given.items():
            low, high = _RANGES[name]
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: it has to be from {low} to {high}")
        super().__init__(**given, **traits)

    def _tables(self) -> tuple[BlockTables, int, int]:
        tables = BlockTables(160, block_size=self.block_size)
        first = tables.open()
        tables.extend({first: self.n_prompt})
        second = tables.fork(first)
        for sequence, n_new in ((first, self.n_first), (second, self.n_second)):
            tables.extend({sequence: n_new})
        return tables, first, second

    @property
    def blocks(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The blocks of both answers, in order."""
        tables, first, second = self._tables()
        return tables.blocks(first), tables.blocks(second)

    @property
    def n_blocks(self) -> int:
        """Blocks that are held, each counted once."""
        return len({*self.blocks[0], *self.blocks[1]})

    @property
    def n_unshared(self) -> int:
        """Blocks that two answers without a common beginning would take."""
        return sum(-(-(self.n_prompt + n) // self.block_size) for n in (self.n_first, self.n_second))

    @property
    def waste(self) -> float:
        """The share of the blocks in use that holds no token."""
        return self._tables()[0].waste

    def __repr__(self) -> str:
        answers = f"answers of {self.n_first} and {self.n_second}"
        return f"PagingExplorer(blocks of {self.block_size}, a prompt of {self.n_prompt}, {answers})"
