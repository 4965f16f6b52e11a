r"""Special tokens: strings that stand for one id each, and that ordinary text must not be able to say by accident.

A text from outside that spells ``<|endoftext|>`` would end the document for the model if it were encoded as that
token (an injection), so :meth:`BPETokenizer.encode` refuses it unless the caller says what it means: allow it as a
token, or take it for ordinary text. The rule is tiktoken's. Where two special tokens begin at one place, the longer
is taken.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

__all__ = ["SpecialTokens", "find_special"]


class SpecialTokens:
    r"""The special tokens of a tokenizer, and which of them a text may hold.

    Args:
        ids: The id of each special token.

    Example:
        >>> special = SpecialTokens({"<|end|>": 256, "<|end|>!": 257})
        >>> list(special.split("a<|end|>!", allowed="all"))
        [('a', None), ('<|end|>!', 257)]
        >>> list(special.split("a<|end|>", disallowed=()))
        [('a<|end|>', None)]
        >>> list(special.split("a<|end|>"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ValueError: the text holds the special token '<|end|>': pass allowed_special={'<|end|>'} to encode it as ...
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        self.ids = dict(ids)

    def split(
        self,
        text: str,
        allowed: Literal["all"] | Collection[str] = (),
        disallowed: Literal["all"] | Collection[str] = "all",
    ) -> Iterator[tuple[str, int | None]]:
        r"""Cut a text at the special tokens that it may hold.

        Args:
            text: Any text.
            allowed: The special tokens to find, or ``"all"``.
            disallowed: Those whose mere presence is an error; ``"all"`` means all that are not allowed. A special
                token that is neither is ordinary text.

        Yields:
            Each part with its id, or with None where it is ordinary text; no part is empty.

        Raises:
            ValueError: The text holds a disallowed one, or one that is named is no special token.
        """
        sought = self.sought(allowed, disallowed)
        start = 0
        for at, token in find_special(text, tuple(sought)):
            if not sought[token]:
                raise ValueError(refusal(token))
            if at > start:
                yield text[start:at], None
            yield token, self.ids[token]
            start = at + len(token)
        if start < len(text):
            yield text[start:], None

    def sought(
        self, allowed: Literal["all"] | Collection[str], disallowed: Literal["all"] | Collection[str]
    ) -> dict[str, bool]:
        r"""Return the special tokens to look for: True for those to find, False for those to refuse."""
        find = set(self.ids) if allowed == "all" else self._known(allowed, "allowed_special")
        refuse = set(self.ids) - find if disallowed == "all" else self._known(disallowed, "disallowed_special")
        return {token: token not in refuse for token in self.ids if token in find or token in refuse}

    def _known(self, tokens: Collection[str], argument: str) -> set[str]:
        if isinstance(tokens, str):
            raise ValueError(f"{argument} {tokens!r} is a str: pass 'all' or a set of special tokens, {{{tokens!r}}}")
        unknown = [token for token in tokens if token not in self.ids]
        if unknown:
            raise ValueError(f"{argument} names {unknown[0]!r}, which is none of the special tokens {list(self.ids)}")
        return set(tokens)


def refusal(token: str) -> str:
    r"""Say why a special token in a text was refused, and what to do."""
    return (
        f"the text holds the special token {token!r}: pass allowed_special={{{token!r}}} to encode it as that token, "
        f"or disallowed_special=() to encode it as ordinary text"
    )


def find_special(text: str, tokens: Sequence[str], start: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
    r"""Find special tokens from left to right, the longest first where several begin at one place.

    Args:
        text: Any text.
        tokens: What to find.
        start: The first position at which one may begin.
        end: None may begin at or after this position; the end of the text if None.

    Yields:
        The position and the token.

    Example:
        >>> list(find_special("ab abc", ["ab", "abc"]))
        [(0, 'ab'), (3, 'abc')]
    """
    # str.find is many times faster than an alternation, and most texts hold no special token.
    present = tokens if len(tokens) > 16 else [token for token in tokens if text.find(token, start) >= 0]
    if not present:
        return
    for match in _longest_first(tuple(present)).finditer(text, start):
        if end is not None and match.start() >= end:
            return
        yield match.start(), match.group()


@functools.lru_cache(maxsize=64)
def _longest_first(tokens: tuple[str, ...]) -> "re.Pattern[str]":
    return re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)))
