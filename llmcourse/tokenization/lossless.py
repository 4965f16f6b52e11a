"""Cut text into pre-tokens without losing any of it: what cannot come back from the ids is refused."""

import regex

from llmcourse.tokenization.patterns import is_known
from llmcourse.tokenization.pretokenize import Words, find_words

__all__ = ["words_of"]


def words_of(text: str, pattern: str) -> Words:
    r"""Cut a text into pre-tokens, and refuse what would not come back.

    Args:
        text: Any text that UTF-8 can write.
        pattern: The regular expression of the pre-tokens.

    Returns:
        The distinct pre-tokens, their counts and their order.

    Raises:
        ValueError: The text holds a lone surrogate, or the pattern leaves some of it out.

    Example:
        >>> words_of("a\ud800", r"(?s:.+)")
        Traceback (most recent call last):
        ...
        ValueError: character 1 of the text is the lone surrogate U+D800, which UTF-8 cannot write: remove it first
    """
    try:
        words = find_words(text, pattern)
    except UnicodeEncodeError:
        at = next(i for i, character in enumerate(text) if 0xD800 <= ord(character) < 0xE000)
        raise ValueError(
            f"character {at} of the text is the lone surrogate U+{ord(text[at]):04X}, which UTF-8 cannot write: "
            f"remove it first"
        ) from None
    if not is_known(pattern):
        covered = sum(len(word) * count for word, count in zip(words.distinct, words.counts.tolist(), strict=True))
        if covered != len(text.encode()):
            left_out = text[slice(*_first_gap(text, pattern))]
            raise ValueError(f"pattern {pattern!r} leaves out {left_out!r:.80}: add an alternative that matches it")
    return words


def _first_gap(text: str, pattern: str) -> tuple[int, int]:
    done = 0
    for match in regex.finditer(pattern, text):
        if match.start() > done:
            return done, match.start()
        done = match.end()
    return done, len(text)
