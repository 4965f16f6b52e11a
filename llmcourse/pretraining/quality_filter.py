"""Rules that tell prose from what crawls are full of, without a model: Gopher's, and C4's."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

__all__ = ["c4_lines", "quality_filter"]

_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
_BULLETS = ("•", "‣", "▪", "*", "-", "–")
_ELLIPSES = ("...", "…")
_ENDS = (".", "!", "?", '"', "”", "’", "'")
# Of all characters, how many the most frequent run of n words may make up; and all runs of n words that come again.
_TOP_RUN = {2: 0.20, 3: 0.18, 4: 0.16}
_REPEATED_RUN = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def quality_filter(text: str) -> list[str]:
    r"""Return why a document should be left out: nothing where it passes.

    Rae et al. 2021 (Gopher, arXiv:2112.11446, appendix A.1.1): quality by counting, and repetition. Raffel et al. 2019
    (C4, arXiv:1910.10683, section 2.2): pages with a curly bracket or with "lorem ipsum". The rules were made for
    English: the stop words refuse other languages, and the bracket refuses code.

    Args:
        text: The document.

    Returns:
        One reason for each rule that it breaks, with what was found and the limit.

    Cost: linear in the words.

    Example:
        >>> quality_filter("Buy now ... " * 40)[:2]
        ['symbols: 0.333 for each word, at most 0.1', 'words with a letter: 0.667, at least 0.8']
    """
    words = text.split()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    found = [*_counts(words), *_lines(lines), *_repetition(text, words, lines)]
    lowered = text.lower()
    found += [f"page: holds {mark!r}" for mark in ("{", "lorem ipsum") if mark in lowered]
    return found


def c4_lines(text: str, *, min_words: int = 5) -> str:
    r"""Return the lines that are sentences: they end as one does, have enough words, and ask for no JavaScript.

    Raffel et al. 2019 (arXiv:1910.10683, section 2.2).

    Args:
        text: The document.
        min_words: How many words a line needs.

    Returns:
        The lines that are left, which may be none.

    Example:
        >>> c4_lines("Home | About\nThe cat sat on the mat.\nPlease enable JavaScript to see this page.")
        'The cat sat on the mat.'
    """
    lines = (line.strip() for line in text.split("\n"))
    kept = (line for line in lines if line.endswith(_ENDS) and not line.endswith(_ELLIPSES))
    return "\n".join(line for line in kept if len(line.split()) >= min_words and "javascript" not in line.lower())


def _counts(words: Sequence[str]) -> list[str]:
    if not words:
        return ["words: 0, at least 50"]
    n = len(words)
    mean = sum(map(len, words)) / n
    symbols = (sum(word.count("#") for word in words) + sum(map(_ellipses, words))) / n
    alphabetic = sum(any(map(str.isalpha, word)) for word in words) / n
    stop_words = len(_STOP_WORDS & {re.sub(r"\W", "", word.lower()) for word in words})
    rules = (
        (n < 50, f"words: {n}, at least 50"),
        (n > 100_000, f"words: {n}, at most 100000"),
        (mean < 3, f"mean word: {mean:.2f} characters, at least 3"),
        (mean > 10, f"mean word: {mean:.2f} characters, at most 10"),
        (symbols > 0.1, f"symbols: {symbols:.3f} for each word, at most 0.1"),
        (alphabetic < 0.8, f"words with a letter: {alphabetic:.3f}, at least 0.8"),
        (stop_words < 2, f"stop words: {stop_words}, at least 2"),
    )
    return [reason for broken, reason in rules if broken]


def _ellipses(word: str) -> int:
    return sum(word.count(mark) for mark in _ELLIPSES)


def _lines(lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    rules: tuple[tuple[str, Callable[[str], bool], float], ...] = (
        ("lines that begin with a bullet", lambda line: line.startswith(_BULLETS), 0.9),
        ("lines that end with an ellipsis", lambda line: line.endswith(_ELLIPSES), 0.3),
    )
    shares = ((name, sum(map(rule, lines)) / len(lines), limit) for name, rule, limit in rules)
    return [f"{name}: {share:.3f}, at most {limit}" for name, share, limit in shares if share > limit]


def _repetition(text: str, words: Sequence[str], lines: Sequence[str]) -> list[str]:
    shares: list[tuple[str, float, float]] = []
    paragraphs = [part.strip() for part in re.split(r"\n{2,}", text) if part.strip()]
    for name, parts in (("lines", lines), ("paragraphs", paragraphs)):
        again = _repeated(parts)
        shares.append((f"repeated {name}", len(again) / max(len(parts), 1), 0.30))
        shares.append((f"characters in repeated {name}", sum(map(len, again)) / max(len(text), 1), 0.20))
    n_letters = max(sum(map(len, words)), 1)
    for n, limit in _TOP_RUN.items():
        shares.append((f"characters in the most frequent run of {n} words", _top_run(words, n) / n_letters, limit))
    for n, limit in _REPEATED_RUN.items():
        shares.append((f"characters in repeated runs of {n} words", _repeated_runs(words, n) / n_letters, limit))
    return [f"{name}: {share:.3f}, at most {limit}" for name, share, limit in shares if share > limit]


def _repeated(parts: Sequence[str]) -> list[str]:
    """Return the parts that came before."""
    seen: set[str] = set()
    return [part for part in parts if part in seen or seen.add(part)]  # pyright: ignore[reportGeneralTypeIssues]


def _runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def _top_run(words: Sequence[str], n: int) -> int:
    """Return the characters of the most frequent run; one that comes once repeats nothing."""
    counted = Counter(_runs(words, n)).most_common(1)
    return sum(map(len, counted[0][0])) * counted[0][1] if counted and counted[0][1] > 1 else 0


def _repeated_runs(words: Sequence[str], n: int) -> int:
    """Return the characters of words that stand in a run which came before, each word once."""
    seen: set[tuple[str, ...]] = set()
    counted, covered = 0, 0
    for start, run in enumerate(_runs(words, n)):
        if run in seen:
            counted += sum(map(len, words[max(start, covered) : start + n]))
            covered = start + n
        seen.add(run)
    return counted
