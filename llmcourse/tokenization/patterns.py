r"""The regular expressions that cut text into pre-tokens, inside which alone byte pair encoding merges.

Three are known by name. ``"gpt2"`` stands as GPT-2 released it (Radford et al. 2019, "Language Models are
Unsupervised Multitask Learners", section 2.2); ``"cl100k"`` (GPT-3.5, GPT-4) and ``"o200k"`` (GPT-4o) stand as in
tiktoken 0.14. Any other string is taken for a regular expression in the syntax of the ``regex`` package.

What the three differ in: gpt2 keeps ``'s`` but not ``'S`` together and takes digits of any number; cl100k ignores
case there, takes at most three digits, and lets a word begin with any one sign; o200k cuts ``camelCase`` at the hump,
leaves ``'s`` with its word, and counts combining marks as letters.

Letters are what Unicode says they are, so two programs agree on them only as far as their Unicode versions do:
a code point that is new in the later one is a letter here and a sign there.
"""

import functools

import regex

__all__ = [
    "CL100K_PATTERN",
    "GPT2_PATTERN",
    "LLAMA3_PATTERN",
    "O200K_PATTERN",
    "PATTERNS",
    "cut_position",
    "is_known",
    "pattern_name",
    "resolve",
]

GPT2_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""

CL100K_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
    r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)

O200K_PATTERN = "|".join(
    [
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""\p{N}{1,3}""",
        r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
        r"""\s*[\r\n]+""",
        r"""\s+(?!\S)""",
        r"""\s+""",
    ]
)

# Llama 3's, as its tokenizer.json has it; Qwen 2 takes digits one by one.
LLAMA3_PATTERN = (
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
    r"""|\s*[\r\n]+|\s+(?!\S)|\s+"""
)

PATTERNS: dict[str, str] = {"gpt2": GPT2_PATTERN, "cl100k": CL100K_PATTERN, "o200k": O200K_PATTERN}

# Spellings that cut every text alike: the release of GPT-2, tiktoken's faster one, and cl100k as Oniguruma needs it.
_OTHER_SPELLINGS = {
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""": GPT2_PATTERN,
    r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""": GPT2_PATTERN,
    CL100K_PATTERN.replace("{1,3}+", "{1,3}"): CL100K_PATTERN,
}

_KNOWN = {*PATTERNS.values(), LLAMA3_PATTERN, LLAMA3_PATTERN.replace("{1,3}", "")}

# A border that is certain whatever stands before and after the two characters beside it. Before white space that
# breaks no line: no pre-token goes on from other signs into it. After a letter: its pre-token ends with the run of
# letters, unless a mark continues it (o200k) or an apostrophe does (o200k keeps 's with its word).
_CERTAIN_BORDER = regex.compile(r"(?r)(?<=\S)(?=[^\S\r\n])|(?<=\p{L})(?=[^\p{L}\p{M}'])")


def resolve(pattern: str) -> str:
    r"""Return the regular expression that a name stands for, or check the one that is given.

    Args:
        pattern: ``"gpt2"``, ``"cl100k"``, ``"o200k"``, or a regular expression.

    Returns:
        The regular expression; another spelling of a named one becomes the named one.

    Raises:
        ValueError: A plain word that is no known name, or a regular expression that does not compile, or one that
            matches the empty string only.

    Example:
        >>> resolve("gpt2")[:17]
        "'s|'t|'re|'ve|'m|"
        >>> resolve("gpt5")
        Traceback (most recent call last):
        ...
        ValueError: pattern 'gpt5' is unknown: choose 'gpt2', 'cl100k' or 'o200k', or pass a regular expression
    """
    if not isinstance(pattern, str):
        raise ValueError(f"pattern {pattern!r} is no str: choose 'gpt2', 'cl100k' or 'o200k', or a regular expression")
    if pattern in PATTERNS:
        return PATTERNS[pattern]
    if regex.fullmatch(r"[\w-]*", pattern):
        raise ValueError(
            f"pattern {pattern!r} is unknown: choose 'gpt2', 'cl100k' or 'o200k', or pass a regular expression"
        )
    _compiled(pattern)
    return _OTHER_SPELLINGS.get(pattern, pattern)


def pattern_name(pattern: str) -> str | None:
    r"""Return the name of a regular expression, or None where it has none.

    Args:
        pattern: A regular expression.

    Returns:
        ``"gpt2"``, ``"cl100k"``, ``"o200k"`` or None.

    Example:
        >>> pattern_name(CL100K_PATTERN), pattern_name(r"\S+|\s+")
        ('cl100k', None)
    """
    return next((name for name, known in PATTERNS.items() if known == pattern), None)


def is_known(pattern: str) -> bool:
    r"""Tell whether a regular expression is known to leave no text out, and where text can be cut for it.

    The named ones are, and those of Llama 3 and Qwen 2.

    Args:
        pattern: A regular expression.

    Returns:
        Whether it is one of them.

    Example:
        >>> is_known(GPT2_PATTERN), is_known(r"\S+|\s+")
        (True, False)
    """
    return pattern in _KNOWN


def cut_position(text: str, start: int, pattern: str) -> int | None:
    r"""Return the last place after ``start`` where ``text`` can be cut for certain.

    The pre-tokens of the two halves are then those of the whole, whatever stood before the text and will stand
    after it. Of a regular expression of one's own nothing is known, so there is no such place.

    Args:
        text: What has been read so far.
        start: Look behind this position only.
        pattern: The regular expression.

    Returns:
        A position strictly between ``start`` and the end, or None.

    Example:
        >>> text = "A text is cut befo"
        >>> text[: cut_position(text, 0, GPT2_PATTERN)]
        'A text is cut'
    """
    if not is_known(pattern):
        return None
    match = _CERTAIN_BORDER.search(text, start)
    return None if match is None or match.start() <= start else match.start()


@functools.lru_cache(maxsize=64)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from error
