"""What happens to text before it is cut into unigram pieces: Unicode normalisation, and spaces made visible.

SentencePiece (Kudo & Richardson 2018, arXiv:1808.06226) treats the space as a character like any other, written
U+2581 (a low line), so that pieces can be joined to the text again with no rule about where spaces go.
"""

import struct
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

import regex

__all__ = ["SPACE_MARK", "Normalizer"]

SPACE_MARK = "\u2581"


@dataclass(frozen=True, kw_only=True)
class Normalizer:
    r"""Text to the form that is segmented, and nothing else: what it loses, decoding cannot bring back.

    Args:
        form: ``"identity"``, which loses nothing, or ``"nfkc"``, Unicode's compatibility composition.
        add_prefix_space: Begin with a space, so that a word at the beginning is the same piece as one further on.
        remove_extra_spaces: Strip spaces at both ends and make one of several.
        charsmap: A SentencePiece model's own compiled rules, applied in place of ``form``; empty for none.

    Raises:
        ValueError: ``form`` is neither, or ``charsmap`` is cut off.

    Example:
        >>> Normalizer()("two  words")
        '▁two▁▁words'
        >>> Normalizer(form="nfkc", remove_extra_spaces=True)(" ﬁve ")
        '▁five'
    """

    form: str = "identity"
    add_prefix_space: bool = True
    remove_extra_spaces: bool = False
    charsmap: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.form not in ("identity", "nfkc"):
            raise ValueError(f"normalization {self.form!r} is not known: use 'identity' or 'nfkc'")
        if self.charsmap:
            _ = self._rules  # a broken map is refused now, not at the first text

    def __call__(self, text: str) -> str:
        """Return the normalised text with its spaces as U+2581; an empty text stays empty."""
        if self.charsmap:
            text = self._apply_rules(text)
        elif self.form == "nfkc":
            text = unicodedata.normalize("NFKC", text)
        if self.remove_extra_spaces:
            text = regex.sub(" {2,}", " ", text.strip(" "))
        if self.add_prefix_space and text:
            text = " " + text
        return text.replace(" ", SPACE_MARK)

    @cached_property
    def _rules(self) -> tuple[tuple[int, ...], bytes]:
        # The size of the trie in bytes, the trie (a Darts double array of 32-bit units), the replacements.
        size = struct.unpack_from("<I", self.charsmap)[0] if len(self.charsmap) >= 4 else -1
        if size < 0 or size % 4 or size + 4 > len(self.charsmap):
            raise ValueError(f"charsmap of {len(self.charsmap)} bytes is cut off or is none: read the model again")
        return struct.unpack_from(f"<{size // 4}I", self.charsmap, 4), self.charsmap[4 + size :]

    def _apply_rules(self, text: str) -> str:
        trie, replacements = self._rules
        data, place, out = text.encode(), 0, []
        while place < len(data):
            length, value = _longest_match(trie, data, place)
            if length:
                out.append(replacements[value : replacements.index(0, value)])
            else:
                lead = data[place]
                length = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
                out.append(data[place : place + length])
            place += length
        return b"".join(out).decode()


def _longest_match(trie: tuple[int, ...], data: bytes, place: int) -> tuple[int, int]:
    # A unit of a Darts double array: bits 0-7 and 31 its label, bit 8 whether a key ends here (the value is then in
    # the first child), bits 10-30 the offset to its children, shifted by 8 more when bit 9 is set.
    best, node = (0, 0), _children(trie[0])
    for end in range(place, len(data)):
        node ^= data[end]
        if node >= len(trie) or trie[node] & 0x800000FF != data[end]:
            break
        unit = trie[node]
        node ^= _children(unit)
        if unit >> 8 & 1:
            best = end + 1 - place, trie[node] & 0x7FFFFFFF
    return best


def _children(unit: int) -> int:
    return (unit >> 10) << ((unit & 0x200) >> 6)
