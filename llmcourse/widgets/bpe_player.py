"""A player of byte-pair encoding: the reader's own text, merge by merge."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import regex
import traitlets

from llmcourse.tokenization import steps
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["BPEPlayer"]

_HERE = Path(__file__).parent


class BPEPlayer(StaticWidget):
    r"""Step through the merges of a byte-level BPE on a text that the reader may change.

    The text is cut into pre-tokens, each is spelt in UTF-8 bytes, and of the pairs that the first ``n_merges`` merges
    know, the one of lowest rank is merged until none is left, as in :func:`llmcourse.tokenization.steps.encode_word`.
    The page and Python agree but for letters that are newer than the Unicode version of the browser.

    Args:
        merges: pairs of bytes in the order in which they were learnt.
        text: what the reader finds in the box.
        pattern: how text is cut; only ``"gpt2"``.
        n_merges: how many merges are applied at first; None for all.
        **traits: what any widget takes, such as ``layout``.

    Raises:
        ValueError: a merge whose part no earlier merge makes, an unknown pattern, or a number of merges out of range.

    Examples:
        >>> player = BPEPlayer([(b"l", b"o"), (b"lo", b"w")], text="low lower", n_merges=1)
        >>> player.tokens
        [b'lo', b'w', b' ', b'lo', b'w', b'e', b'r']
        >>> player
        BPEPlayer(2 merges, 1 applied, text='low lower')
    """

    _esm = _HERE / "bpe_player.js"
    _css = styled(_HERE / "bpe_player.css")
    caption = "An interactive figure, the BPE player: it runs in the book's pages and in JupyterLab."

    text = traitlets.Unicode().tag(sync=True)
    n_merges = traitlets.Int(0).tag(sync=True)
    pairs = traitlets.List(read_only=True).tag(sync=True)

    def __init__(
        self,
        merges: Sequence[tuple[bytes, bytes]],
        text: str = "",
        pattern: str = "gpt2",
        n_merges: int | None = None,
        **traits: Any,
    ) -> None:
        if pattern != "gpt2":
            raise ValueError(f"unknown pattern {pattern!r}: the player cuts text by 'gpt2'")
        self.merges = [(bytes(left), bytes(right)) for left, right in merges]
        self.set_trait("pairs", number_pairs(self.merges))
        super().__init__(text=text, n_merges=len(self.merges) if n_merges is None else n_merges, **traits)

    @traitlets.validate("n_merges")
    def _in_range(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] <= len(self.merges):
            raise ValueError(f"n_merges is {proposal['value']}: it must be from 0 to {len(self.merges)}")
        return proposal["value"]

    @property
    def tokens(self) -> list[bytes]:
        """The tokens of ``text`` under the first ``n_merges`` merges, as bytes."""
        applied = self.merges[: self.n_merges]
        ids = (
            number
            for word in regex.findall(steps.GPT2_PATTERN, self.text)
            for number in steps.encode_word(word.encode(), applied)
        )
        return [bytes([i]) if i < 256 else b"".join(applied[i - 256]) for i in ids]

    def __repr__(self) -> str:
        return f"BPEPlayer({len(self.merges)} merges, {self.n_merges} applied, text={self.text!r})"


def number_pairs(merges: Sequence[tuple[bytes, bytes]]) -> list[list[int]]:
    """Write merges as pairs of ids: 0 to 255 are the bytes, 256 + i is what merge i makes.

    Two merges that make the same bytes have the id of the first. Numbers take a third of the space of the bytes, and
    bytes that are no valid UTF-8 could not be written as text.

    Args:
        merges: pairs of bytes in the order in which they were learnt.

    Returns:
        One pair of ids for each merge.

    Raises:
        ValueError: a part of a merge is neither a byte nor what an earlier merge makes.

    Examples:
        >>> number_pairs([(b"l", b"o"), (b"lo", b"w")])
        [[108, 111], [256, 119]]
    """
    known = {bytes([byte]): byte for byte in range(256)}
    pairs = []
    for rank, pair in enumerate(merges):
        for part in pair:
            if part not in known:
                raise ValueError(f"merge {rank} is {pair!r}, and no merge before it makes {part!r}")
        pairs.append([known[part] for part in pair])
        known.setdefault(pair[0] + pair[1], 256 + rank)
    return pairs
