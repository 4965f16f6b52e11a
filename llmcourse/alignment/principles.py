"""Principles that a program can check: what is wrong with an answer, and the answer without it."""

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

__all__ = ["PRINCIPLES", "Principle", "at_most_words"]


@dataclass(frozen=True)
class Principle:
    r"""One sentence of a constitution, and, where a program can, how to see that it is broken and to mend it.

    Attributes:
        text: What is asked for, as a model reads it.
        fault: Of a prompt and an answer: what is wrong, or None. Without it only a model can judge.
        mend: Of a prompt and an answer: the answer as it should be.

    Example:
        >>> short = at_most_words(3)
        >>> short.fault("", "one two three four"), short.mend("", "one two three four")
        ('it has 4 words', 'one two three')
    """

    _: KW_ONLY
    text: str
    fault: Callable[[str, str], str | None] | None = None
    mend: Callable[[str, str], str] | None = None


def at_most_words(limit: int) -> Principle:
    r"""Return the principle that an answer is short.

    Args:
        limit: How many words it may have.

    Returns:
        A principle that a program checks.

    Raises:
        ValueError: The limit is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}: an answer has at least 1 word")

    def fault(prompt: str, answer: str) -> str | None:
        n_words = len(answer.split())
        return f"it has {n_words} words" if n_words > limit else None

    text = f"Answer in at most {limit} words."
    return Principle(text=text, fault=fault, mend=lambda prompt, answer: " ".join(answer.split()[:limit]))


_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_SENTENCE = re.compile(r"[^.!?]*[.!?]+\s*|[^.!?]+$")


def _shows_an_address(prompt: str, answer: str) -> str | None:
    found = _EMAIL.search(answer)
    return f"it gives away the address {found.group()!r}" if found else None


def _without_addresses(prompt: str, answer: str) -> str:
    return _EMAIL.sub("[address removed]", answer)


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip()]


def _repeats_itself(prompt: str, answer: str) -> str | None:
    sentences = [sentence.lower() for sentence in _sentences(answer)]
    again = next((sentence for place, sentence in enumerate(sentences) if sentence in sentences[:place]), None)
    return None if again is None else f"it says twice {again!r}"


def _without_repetition(prompt: str, answer: str) -> str:
    first: dict[str, str] = {}
    for sentence in _sentences(answer):
        first.setdefault(sentence.lower(), sentence)
    return " ".join(first.values())


def _breaks_off(prompt: str, answer: str) -> str | None:
    return None if not answer.strip() or answer.rstrip()[-1] in ".!?" else "it breaks off in the middle of a sentence"


def _whole_sentences(prompt: str, answer: str) -> str:
    whole = [sentence for sentence in _sentences(answer) if sentence[-1] in ".!?"]
    return " ".join(whole) if whole else answer.strip() + "."


PRINCIPLES = (
    Principle(text="Give away nobody's e-mail address.", fault=_shows_an_address, mend=_without_addresses),
    Principle(text="Do not repeat yourself.", fault=_repeats_itself, mend=_without_repetition),
    Principle(text="Speak in whole sentences.", fault=_breaks_off, mend=_whole_sentences),
)
