r"""Where words start: the patterns of GPT-2, cl100k and o200k as expressions over arrays.

A regular expression walks through a text character by character. But in these patterns what begins a word depends on
the next few characters only, hardly ever on what was matched long before. So each alternative can be stated as a
condition on an array of character classes and its neighbours (``classes[1:]`` beside ``classes[:-1]``), which numpy
evaluates for the whole text at several hundred megabytes a second. A word starts wherever the kind of character
changes; every further rule takes such a start away or adds one.
"""

from dataclasses import dataclass

import numpy as np

from llmcourse.tokenization.character_classes import BLANK, KIND, LETTER, LOWER, MARK, NEWLINE, NUMBER, SPACE, UPPER

__all__ = ["Rules", "index_in_run", "word_starts"]

_MARKED = 0  # a mark after punctuation is punctuation
_TAIL = 8  # newlines (and slashes) that belong to the punctuation before them
_SUFFIX = 16  # 's and its like, where they belong to the word before them


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What distinguishes the three patterns.

    Args:
        glue: Which character before letters joins them: "blank" (a blank, which also joins numbers and punctuation) or
            "any" (one character that is no letter, number or newline).
        ignore_case: Whether 'S is a contraction as 's is.
        digits: The most digits in one word, or 0 for no limit.
        newlines: Whether newlines join punctuation before them, and else end a run of white space.
        final_space: Whether white space at the end of the text is one word whatever it holds.
        cased: o200k: an upper-case letter after a lower-case one starts a word, marks count as letters, contractions
            end the word before them, slashes after newlines join punctuation.
    """

    glue: str
    ignore_case: bool = False
    digits: int = 0
    newlines: bool = False
    final_space: bool = False
    cased: bool = False


def word_starts(characters: np.ndarray, classes: np.ndarray, rules: Rules) -> np.ndarray | None:
    """Return a boolean array that is True at the first character of each word.

    The text must not be empty, and must begin where a word begins and end where one ends.

    Args:
        characters: Code points, an array of integers.
        classes: Their flags by ``classes_of``.
        rules: Which pattern.

    Returns:
        As many booleans as there are characters; None where the rules would have to be applied in turn (o200k: marks
        after punctuation together with slashes after newlines), which is left to the regular expression.
    """
    kind = classes & KIND
    newlines = np.flatnonzero(classes & NEWLINE) if rules.newlines else np.empty(0, np.int64)
    if rules.cased:
        kind = _marks(characters, classes, kind, newlines)
        if kind is None:
            return None
    if newlines.size:
        _tails(characters, kind, newlines, slashes=rules.cased)
    if rules.cased:
        _suffixes(characters, kind)
    starts = np.empty(kind.size, bool)
    starts[0] = True
    np.not_equal(kind[1:], kind[:-1], out=starts[1:])
    if rules.newlines and (rules.cased or newlines.size):
        starts &= kind < _TAIL
    _spaces(starts, classes, kind, newlines, rules)
    if not rules.cased:
        _contractions(starts, characters, rules.ignore_case)
    if rules.glue == "any":
        _prefixes(starts, classes, kind)
    if rules.digits:
        _digits(starts, kind, rules.digits)
    if rules.cased:
        _cases(starts, classes, kind)
    return starts


def _spaces(starts: np.ndarray, classes: np.ndarray, kind: np.ndarray, newlines: np.ndarray, rules: Rules) -> None:
    r"""Apply ``\s*[\r\n]|\s+(?!\S)|\s``, and the blank that joins what follows it."""
    space = kind == SPACE
    last = space[:-1] & ~space[1:]  # the last of a run of white space that does not end the text
    blank = last & ((classes[:-1] & BLANK) != 0)
    if not rules.newlines:
        starts[:-1] |= last
        starts[1:] &= ~blank
        return
    last[:] &= (classes[:-1] & NEWLINE) == 0
    starts[:-1] |= last
    starts[1:] &= ~(blank & (kind[1:] == 0))
    newlines = newlines[kind[newlines] == SPACE]
    if newlines.size:
        words_between = np.logical_or.reduceat(~space, newlines)
        words_between[-1] = True
        after = newlines[words_between] + 1  # the last newline of a run of white space ends a word
        starts[after[after < starts.size]] = True
    if rules.final_space and space[-1]:
        run = starts.size - int(np.argmin(space[::-1])) if not space.all() else 0
        starts[run + 1 :] = False


def _contraction_ends(characters: np.ndarray, at: np.ndarray, ignore_case: bool) -> np.ndarray:
    r"""For each apostrophe, return where its ``'(?:[sdmt]|ll|ve|re)`` ends, or 0 if none begins there."""
    padded = np.concatenate([characters[-2:], np.zeros(3, characters.dtype)])
    size = characters.size

    def letter(offset: int) -> np.ndarray:
        index = at + offset
        code = np.where(index < size, characters[np.minimum(index, size - 1)], padded[-1])
        if ignore_case:
            code = np.where((code >= 65) & (code <= 90), code + 32, code)
            code = np.where(code == 0x17F, ord("s"), code)  # the long s is an s to a pattern without case
        return code

    first, second = letter(1), letter(2)
    one = (first == ord("s")) | (first == ord("d")) | (first == ord("m")) | (first == ord("t"))
    two = ((first == ord("l")) & (second == ord("l"))) | (
        ((first == ord("v")) | (first == ord("r"))) & (second == ord("e"))
    )
    return np.where(one, at + 2, np.where(two, at + 3, 0))


def _contractions(starts: np.ndarray, characters: np.ndarray, ignore_case: bool) -> None:
    """A word that starts with an apostrophe takes the contraction's letters and leaves those after it."""
    at = np.flatnonzero(characters == ord("'"))
    at = at[starts[at]]
    end = _contraction_ends(characters, at, ignore_case)
    at, end = at[end > 0], end[end > 0]
    starts[at + 1] = False
    starts[end[end < starts.size]] = True


def _prefixes(starts: np.ndarray, classes: np.ndarray, kind: np.ndarray) -> None:
    """Letters take the one character before them, if a word starts there and it is no number and no newline."""
    joins = (kind[1:] == LETTER) & starts[:-1] & ((kind[:-1] == 0) | (kind[:-1] == SPACE))
    joins &= (classes[:-1] & NEWLINE) == 0
    starts[1:] &= ~joins


def _digits(starts: np.ndarray, kind: np.ndarray, most: int) -> None:
    """Start a word at every ``most``-th number of a run."""
    at = np.flatnonzero(kind == NUMBER)
    if at.size:
        starts[at[index_in_run(at) % most == 0]] = True


def index_in_run(at: np.ndarray) -> np.ndarray:
    """For sorted positions, return how many direct neighbours stand before each.

    Args:
        at: Positions, increasing.

    Returns:
        For each 0 where a run of neighbours begins, then 1 and so on.

    Example:
        >>> index_in_run(np.array([3, 4, 5, 9, 10])).tolist()
        [0, 1, 2, 0, 1]
    """
    index = np.arange(at.size)
    head = np.ones(at.size, bool)
    head[1:] = at[1:] != at[:-1] + 1
    return index - np.maximum.accumulate(np.where(head, index, 0))


def _tails(characters: np.ndarray, kind: np.ndarray, newlines: np.ndarray, *, slashes: bool) -> None:
    r"""Mark what ``[\r\n]*`` (``[\r\n/]*`` in o200k) takes after punctuation."""
    at = newlines
    if slashes:
        after = newlines[newlines + 1 < kind.size] + 1
        if (characters[after] == ord("/")).any():
            at = np.sort(np.concatenate([newlines, np.flatnonzero(characters == ord("/"))]))
    begins = (at > 0) & (kind[at] == SPACE) & (kind[at - 1] == 0)
    index = np.arange(at.size)
    run_head = index - index_in_run(at)
    latest = np.maximum.accumulate(np.where(begins, index, -1))
    kind[at[latest >= run_head]] = _TAIL


def _marks(characters: np.ndarray, classes: np.ndarray, kind: np.ndarray, newlines: np.ndarray) -> np.ndarray | None:
    """Marks are letters, unless the punctuation before them is a word already; None if slashes make that unsure."""
    mark = (classes & MARK) != 0
    if not mark.any():
        return kind
    other = (kind == 0) & ~mark
    kind[mark] = LETTER
    doubtful = np.flatnonzero(mark[1:] & other[:-1]) + 1
    if not doubtful.size:
        return kind
    after = newlines[newlines + 1 < kind.size] + 1
    if (characters[after] == ord("/")).any():
        return None
    limits = np.flatnonzero(~(mark | other))  # what ends a run of punctuation and marks
    run_ends = np.append(limits, kind.size)[np.searchsorted(limits, doubtful)]
    done = 0
    for at, end in zip(doubtful.tolist(), run_ends.tolist(), strict=True):
        if at >= done and (at >= 2 and (other[at - 2] or classes[at - 2] & BLANK)):
            kind[at:end], done = _MARKED, end
    return kind


def _suffixes(characters: np.ndarray, kind: np.ndarray) -> None:
    """Mark contractions after a word; one that directly follows another begins a word of its own."""
    at = np.flatnonzero(characters == ord("'"))
    at = at[(at > 0) & (kind[at - 1] == LETTER) & (kind[at] == 0)]
    end = _contraction_ends(characters, at, True)
    at, end = at[end > 0], end[end > 0]
    if not at.size:
        return
    index = np.arange(at.size)
    chained = np.zeros(at.size, bool)
    chained[1:] = at[1:] == end[:-1]
    place = index - np.maximum.accumulate(np.where(chained, 0, index))
    at, end = at[place % 2 == 0], end[place % 2 == 0]
    for offset in range(3):
        inside = at + offset < end
        kind[at[inside] + offset] = _SUFFIX


def _cases(starts: np.ndarray, classes: np.ndarray, kind: np.ndarray) -> None:
    """Start a word at an upper-case letter after a lower-case one, as ``[upper]*[lower]+|[upper]+[lower]*`` does.

    A letter without case (and a mark) can stand on either side. Upper-case letters after such a one start a word if
    the last letter with case was lower, or if no letter follows them: the pattern wants its last letter not upper.
    """
    letter = kind == LETTER
    upper = letter & ((classes & UPPER) != 0)
    group = upper[1:] & letter[:-1] & ~upper[:-1]
    lower_before = (classes[:-1] & LOWER) != 0
    starts[1:] |= group & lower_before
    doubtful = np.flatnonzero(group & ~lower_before) + 1
    if not doubtful.size:
        return
    cased = np.flatnonzero(~letter | ((classes & (UPPER | LOWER)) != 0))
    before = np.searchsorted(cased, doubtful) - 1
    lower = (before >= 0) & letter[cased[before]] & ((classes[cased[before]] & LOWER) != 0)
    not_upper = np.append(np.flatnonzero(~upper), kind.size)
    ends = not_upper[np.searchsorted(not_upper, doubtful)]
    run_ends = (ends == kind.size) | ~letter[np.minimum(ends, kind.size - 1)]
    starts[doubtful[lower | run_ends]] = True
