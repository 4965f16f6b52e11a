"""An explorer of paged memory: requests that come, write, fork and end, and the blocks that they lie in."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final

import traitlets

from llmcourse.inference import BlockTables, OutOfBlocks
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["PagingExplorer"]

_HERE = Path(__file__).parent
BLOCK_SIZES: Final = (1, 2, 4, 8, 16)
N_PLACES: Final = 64
MAX_LEN: Final = 32
_STORY: Final = (
    "add 10",
    "fork A",
    "append A 3",
    "append B 5",
    "add 7",
    "free A",
    "append C 9",
    "append B 12",
    "fork C",
    "append D 2",
)
_FORM = re.compile(r"add ([1-9]\d?)|append ([A-Z]) ([1-9]\d?)|(?:fork|free) ([A-Z])")


class PagingExplorer(StaticWidget):
    r"""Let requests come, write, fork and end, step by step, and see which blocks of memory they lie in.

    The blocks are those of :class:`llmcourse.inference.BlockTables`, down to their numbers, in a memory of 64 places.
    Beside them stands what a contiguous cache has to reserve: the greatest length, 32 places, for each request.

    A step that cannot be done, since blocks are lacking, a request has ended, or it would grow too long, is refused and
    changes nothing.

    Args:
        steps: Each is "add 10", "append A 3", "fork A" or "free A". Requests get the letters A, B, ... in the order in
            which they are added or forked.
        block_size: Places in a block: 1, 2, 4, 8 or 16.
        step: How many of the steps have been taken; all of them if None.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A step is written otherwise or names a letter that none has yet, or a number is out of its range.

    Examples:
        >>> explorer = PagingExplorer(["add 6", "fork A", "append A 1"], block_size=4)
        >>> explorer.blocks  # the half-full second block had two holders, so A, who wrote first, took a copy
        {'A': (0, 2), 'B': (0, 1)}
        >>> explorer.references
        {0: 2, 1: 1, 2: 1}
        >>> explorer
        PagingExplorer(blocks of 4, 3 of 3 steps, 2 requests in 3 blocks)
    """

    _esm = _HERE / "paging_explorer.js"
    _css = styled(_HERE / "paging_explorer.css")
    caption = "An interactive figure, the paging explorer: it runs in the book's pages and in JupyterLab."

    steps = traitlets.List(traitlets.Unicode()).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    block_size = traitlets.Int(4).tag(sync=True)

    def __init__(
        self, steps: Sequence[str] | None = None, *, block_size: int = 4, step: int | None = None, **traits: Any
    ) -> None:
        if block_size not in BLOCK_SIZES:
            raise ValueError(f"block_size is {block_size}: choose one of {', '.join(map(str, BLOCK_SIZES))}")
        if steps is None:
            steps, step = _STORY, 3 if step is None else step
        step = len(steps) if step is None else step
        if not 0 <= step <= len(steps):
            raise ValueError(f"step is {step}: it has to be from 0 to the number of steps, {len(steps)}")
        _check(steps)
        super().__init__(steps=list(steps), block_size=block_size, step=step, **traits)

    @property
    def blocks(self) -> dict[str, tuple[int, ...]]:
        """The blocks of each open request, in order."""
        tables, sequences = self._replay()
        return {name: tables.blocks(sequence) for name, sequence in sequences.items()}

    @property
    def n_tokens(self) -> dict[str, int]:
        """The tokens of each open request."""
        tables, sequences = self._replay()
        return {name: tables.n_tokens(sequence) for name, sequence in sequences.items()}

    @property
    def references(self) -> dict[int, int]:
        """How many requests hold a block, for each block that is held."""
        allocator = self._replay()[0].allocator
        counts = {block: allocator.reference_count(block) for block in range(allocator.n_blocks)}
        return {block: count for block, count in counts.items() if count}

    @property
    def waste(self) -> float:
        """The share of the places in held blocks that holds no token."""
        return self._replay()[0].waste

    @property
    def contiguous_waste(self) -> float:
        """The share of the places that holds no token where the greatest length is reserved for each request."""
        lengths = self.n_tokens.values()
        return 1 - sum(lengths) / (len(lengths) * MAX_LEN) if lengths else 0.0

    def _replay(self) -> tuple[BlockTables, dict[str, int]]:
        """Take the steps, and return the tables and the number of each open request."""
        tables = BlockTables(N_PLACES // self.block_size, block_size=self.block_size)
        sequences, letters = dict[str, int](), iter(ascii_uppercase)
        for step in self.steps[: self.step]:
            match step.split():
                case ["add", n]:
                    sequences[name := next(letters)] = tables.open()
                    if not _extended(tables, sequences, name, int(n)):
                        tables.close(sequences.pop(name))
                case ["append", name, n]:
                    _extended(tables, sequences, name, int(n))
                case ["fork", name]:
                    child = next(letters)
                    if name in sequences:
                        sequences[child] = tables.fork(sequences[name])
                case [_, name]:
                    if name in sequences:
                        tables.close(sequences.pop(name))
                case _:
                    raise AssertionError(step)
        return tables, sequences

    def __repr__(self) -> str:
        held = f"{len(self.blocks)} requests in {len(self.references)} blocks"
        return f"PagingExplorer(blocks of {self.block_size}, {self.step} of {len(self.steps)} steps, {held})"


def _extended(tables: BlockTables, sequences: Mapping[str, int], name: str, n_new: int) -> bool:
    """Make a request longer if it is open, short enough, and blocks suffice; return whether it was."""
    if name in sequences and tables.n_tokens(sequences[name]) + n_new <= MAX_LEN:
        with suppress(OutOfBlocks):
            tables.extend({sequences[name]: n_new})
            return True
    return False


def _check(steps: Sequence[str]) -> None:
    """Refuse what the page could not read."""
    named = 0
    for step in steps:
        found = _FORM.fullmatch(step)
        if not found:
            raise ValueError(f"step {step!r} is none: write 'add 10', 'append A 3', 'fork A' or 'free A'")
        letter = found[2] or found[4]
        if letter and letter not in ascii_uppercase[:named]:
            raise ValueError(f"step {step!r} names {letter}, and {named} requests have come until then")
        named += step.startswith(("add", "fork"))
    if named > len(ascii_uppercase):
        raise ValueError(f"{named} requests come, and there are {len(ascii_uppercase)} letters for them")
