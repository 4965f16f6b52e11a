r"""The class of every character, as one byte of flags, so that a text becomes an array of classes by one look-up.

The patterns of GPT-2, cl100k and o200k only ever ask whether a character is a letter, a number, white space, a newline
and so on. The answers for all 1,114,112 code points fit in a megabyte; they are asked of the ``regex`` package itself,
once, so that the array path and the regular expression cannot disagree about Unicode's version.
"""

import functools

import numpy as np
import regex

__all__ = ["BLANK", "KIND", "LETTER", "LOWER", "MARK", "NEWLINE", "NUMBER", "SPACE", "UPPER", "classes_of"]

LETTER = 1  # \p{L}
NUMBER = 2  # \p{N}
SPACE = 4  # \s
KIND = LETTER | NUMBER | SPACE  # a character with none of the three is "other": punctuation, symbols, marks, controls
NEWLINE = 8  # \r and \n
BLANK = 16  # U+0020 only
UPPER = 32  # \p{Lu}, \p{Lt}: may only begin a word in o200k
LOWER = 64  # \p{Ll}: may only end one; other letters and marks may do both
MARK = 128  # \p{M}

_FIRST_PLANES = 0x20000  # nearly all text, emoji too, lies below

_PROPERTIES = (
    (r"\p{L}+", LETTER),
    (r"\p{N}+", NUMBER),
    (r"\s+", SPACE),
    (r"[\r\n]+", NEWLINE),
    (r" +", BLANK),
    (r"[\p{Lu}\p{Lt}]+", UPPER),
    (r"\p{Ll}+", LOWER),
    (r"\p{M}+", MARK),
)


def classes_of(text: bytes | np.ndarray) -> np.ndarray:
    r"""Return the flags of each character.

    Args:
        text: ASCII bytes, or code points as an array of integers.

    Returns:
        uint8 flags, one entry a character.

    Example:
        >>> (classes_of(b"a1 \n") & KIND).tolist() == [LETTER, NUMBER, SPACE, SPACE]
        True
    """
    if isinstance(text, bytes):
        return np.frombuffer(text.translate(_ASCII), np.uint8)
    return _table(_FIRST_PLANES if text.max(initial=0) < _FIRST_PLANES else 0x110000).take(text)


def _flags(last: int) -> np.ndarray:
    characters = "".join(map(chr, range(last)))
    flags = np.zeros(last, np.uint8)
    for pattern, flag in _PROPERTIES:
        for match in regex.finditer(pattern, characters):
            flags[match.start() : match.end()] |= flag
    return flags


@functools.cache
def _table(last: int) -> np.ndarray:
    return _flags(last)  # 10 ms up to the second plane's end, 60 ms for all; an ASCII text needs neither


_ASCII = _flags(128).tobytes() + bytes(128)
