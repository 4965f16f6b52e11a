"""A student's code as what is left of it when names, comments, text and layout are taken away.

Reads with Python's own tokenizer, so code that does not compile is read as far as it goes. Kept are keywords, builtins,
operators, indentation, and the attributes that name a library's methods; what a student can rename at will, all names
of their own, the attributes of ``self`` and literals, becomes a mark of its kind. It does not see through code whose
statements were put in another order, or written differently.
"""

import builtins
import io
import keyword
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from zlib import crc32

__all__ = ["shingles", "tokens"]

# One token that differs changes so many of a code's shingles; in a large class, shorter ones are common to all code.
SHINGLE = 8

_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))
_LAYOUT = ("indent", "dedent")
_DROPPED = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)
_MARKS = {tokenize.NUMBER: "number", tokenize.STRING: "text", tokenize.INDENT: "indent", tokenize.DEDENT: "dedent"}
# Python 3.12 and newer take f-strings apart.
_MARKS |= {getattr(tokenize, name): "text" for name in ("FSTRING_START",) if hasattr(tokenize, name)}
_DROPPED += tuple(getattr(tokenize, name) for name in ("FSTRING_MIDDLE", "FSTRING_END") if hasattr(tokenize, name))


def shingles(code: str) -> frozenset[int]:
    r"""Return the hashes of all runs of eight tokens of a code.

    Args:
        code: Python.

    Returns:
        What is equal for code that differs in names, comments, text, numbers and layout only.

    Example:
        >>> a = "def mean(values):  # of numbers\n    return sum(values) / len(values)"
        >>> b = "def average(xs):\n\n  '''Mean.'''\n  return sum(xs)/len(xs)\n"
        >>> shingles(a) == shingles(b)
        True
    """
    found = list(tokens(code))
    runs = (" ".join(found[i : i + SHINGLE]) for i in range(len(found) - SHINGLE + 1))
    return frozenset(crc32(run.encode("utf-8", "replace")) for run in runs)


def tokens(code: str) -> Iterator[str]:
    """Yield the tokens of a code, without what can be changed and means the same.

    Args:
        code: Python; from where it is none, nothing is yielded.

    Yields:
        Keywords, operators, names that cannot be renamed, and marks for everything else.
    """
    line: list[str] = []
    for kind, text in _marked(code):
        if kind == tokenize.NEWLINE:
            if set(line) - set(_LAYOUT) != {"text"}:  # else a docstring
                yield from line
                yield ";"
            else:
                yield from (mark for mark in line if mark in _LAYOUT)
            line = []
        else:
            line.append(text)


def _marked(code: str) -> Iterator[tuple[int, str]]:
    found = [(kind, text) for kind, text in _read(code) if kind not in _DROPPED]
    own = {name for (_, word), (kind, name) in pairwise(found) if word in ("def", "class") and kind == tokenize.NAME}
    before = ["", ""]
    for kind, text in found:
        if kind == tokenize.NAME:
            attribute = before[1] == "." and before[0] != "self" and text not in own
            yield kind, text if text in _KEPT or attribute else "name"
        else:
            yield kind, _MARKS.get(kind, text)
        before = [before[1], text]


def _read(code: str) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(f"{code}\n").readline):
            yield token.type, token.string
    except (tokenize.TokenError, SyntaxError):  # IndentationError among them
        yield tokenize.NEWLINE, "\n"
