"""The first vocabulary of unigram training: the characters, and far too many frequent substrings."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import regex

from llmcourse.tokenization.normalization import SPACE_MARK

__all__ = ["required_characters", "seed_pieces"]


def required_characters(words: Mapping[str, int], coverage: float) -> list[str]:
    r"""Return the most frequent characters that together make up ``coverage`` of the corpus, most frequent first.

    Args:
        words: Distinct words with their frequencies.
        coverage: The share of all characters, from 0 to 1.

    Returns:
        The characters.

    Raises:
        ValueError: There is no character at all.

    Example:
        >>> required_characters({"aaab": 1, "ac": 2}, 0.7)
        ['a', 'c']
    """
    counts: Counter[str] = Counter()
    for word, frequency in words.items():
        for character in word:
            counts[character] += frequency
    if not counts:
        raise ValueError("the corpus is empty: training needs at least one character of text")
    total, covered, taken = counts.total(), 0, []
    for character in sorted(counts, key=lambda c: (-counts[c], c)):
        if covered >= coverage * total:
            break
        taken.append(character)
        covered += counts[character]
    return taken


def seed_pieces(
    words: Mapping[str, int],
    characters: Sequence[str],
    *,
    max_length: int = 16,
    size: int = 1_000_000,
    split_by_script: bool = True,
    reserved: Collection[str] = (),
) -> dict[str, int]:
    r"""Return the first vocabulary: all required characters, then frequent substrings by frequency times length.

    Substrings are counted length by length, and a place is followed further only where the shorter substring occurs
    twice (no longer one can be more frequent). One that is always followed by the same character is left out, since
    its extension occurs as often. SentencePiece reads these substrings off a suffix array, in linear time for any
    length; counting is simpler, and for pieces of at most 16 characters in distinct words it is fast enough.

    The two differ in one thing. SentencePiece's array runs over whole sentences, so that a word is always followed by
    the same character, a space, and falls out unless it is also the beginning of a longer one or ends a sentence
    ("into" is missing, though it is frequent). Here the end of a word is a continuation of its own, and such words
    stay, which makes the corpus's likelihood higher at the same vocabulary size.

    Args:
        words: Distinct words with their frequencies.
        characters: What must be in the vocabulary.
        max_length: The longest piece, in characters.
        size: How many pieces of more than one character to take at most.
        split_by_script: Take no piece that mixes scripts.
        reserved: Strings that must not be taken.

    Returns:
        Each piece with how often it occurs (a character), or with that times its length in characters (the others).

    Example:
        >>> seed_pieces({"abcab": 1, "bc": 1}, ["a", "b", "c"])
        {'a': 2, 'b': 3, 'c': 2, 'ab': 4, 'bc': 4}
    """
    places = [(word, start, frequency) for word, frequency in words.items() for start in range(len(word))]
    counts = _count_substrings(places, 1)
    seed, shorter = {character: counts[character] for character in characters}, counts
    found: dict[str, int] = {}
    for length in range(2, max_length + 1):
        places = [p for p in places if p[1] + length <= len(p[0]) and shorter[p[0][p[1] : p[1] + length - 1]] > 1]
        if split_by_script:
            places = [p for p in places if not _is_border(p[0][p[1] + length - 2 : p[1] + length])]
        counts = _count_substrings(places, length)
        for piece, count in counts.items():
            if count == shorter[piece[:-1]]:
                found.pop(piece[:-1], None)
            if count > 1:
                found[piece] = count * length
        shorter = counts
    best = sorted(found.keys() - set(reserved), key=lambda piece: (-found[piece], piece))
    return seed | {piece: found[piece] for piece in best[:size]}


def _count_substrings(places: Sequence[tuple[str, int, int]], length: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, start, frequency in places:
        counts[word[start : start + length]] += frequency
    return counts


@cache
def _is_border(pair: str) -> bool:
    # Whether the script changes between two characters.
    before, after = _script(pair[0]), _script(pair[1])
    return "" not in (before, after) and before != after


def _script(character: str) -> str:
    # The first word of a letter's name in Unicode is its script; "" fits every script. As in SentencePiece the three
    # scripts of Japanese count as one, and digits are Common, as punctuation is.
    if character == SPACE_MARK or regex.match(r"\p{Script=Inherited}", character):
        return ""
    if regex.match(r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30fc]", character):
        return "HAN"
    if regex.match(r"\p{Script=Common}", character):
        return "COMMON"
    return unicodedata.name(character, "UNNAMED").split()[0]
