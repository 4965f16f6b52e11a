r"""Byte pair encoding in the four steps in which it is usually told, in a page of code to be read.

Gage 1994 ("A New Algorithm for Data Compression") merges the most frequent pair of bytes; Sennrich et al. 2016
(arXiv:1508.07909, section 3.2) learn a vocabulary so; Radford et al. 2019 do it on bytes instead of characters, so
that no text is unknown. The steps:

1. start with the 256 bytes as the vocabulary;
2. find the most frequent adjacent pair in the corpus;
3. merge it into a new token and add that to the vocabulary;
4. repeat 2 and 3 until the vocabulary has the size that was asked for.

:func:`llmcourse.tokenization.train_bpe` gives the same merges, faster by orders of magnitude.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import regex

from llmcourse.tokenization.patterns import GPT2_PATTERN, resolve

__all__ = [
    "GPT2_PATTERN",
    "count_pairs",
    "count_words",
    "decode",
    "encode_word",
    "learn_merges",
    "merge_pair",
    "split_special",
]


def count_words(text: str, pattern: str = GPT2_PATTERN) -> dict[tuple[int, ...], int]:
    r"""Cut a text into pre-tokens and count them, each as the tuple of its bytes: the state in which step 1 begins.

    Args:
        text: The corpus.
        pattern: The name of a pattern, or a regular expression that finds the pre-tokens.

    Returns:
        How often each pre-token comes, in order of first appearance.

    Example:
        >>> count_words("low low")
        {(108, 111, 119): 1, (32, 108, 111, 119): 1}
    """
    pieces = (match.group().encode() for match in regex.finditer(resolve(pattern), text))
    return dict(Counter(tuple(piece) for piece in pieces if piece))


def count_pairs(words: Mapping[tuple[int, ...], int]) -> dict[tuple[int, int], int]:
    r"""Count every adjacent pair of ids: step 2.

    Args:
        words: How often each word, a tuple of ids, comes in the corpus.

    Returns:
        Each pair's count, in order of first appearance. ``aaa`` holds the pair ``(a, a)`` twice.

    Example:
        >>> count_pairs({(1, 1, 1): 10, (1, 2): 5})
        {(1, 1): 20, (1, 2): 5}
    """
    counts: Counter[tuple[int, int]] = Counter()
    for word, frequency in words.items():
        for pair in pairwise(word):
            counts[pair] += frequency
    return dict(counts)


def merge_pair(ids: Sequence[int], pair: tuple[int, int], new_id: int) -> tuple[int, ...]:
    r"""Replace a pair by one new id wherever it stands, from left to right and never overlapping: step 3.

    Args:
        ids: A word.
        pair: The two neighbours to merge.
        new_id: The id of the token that they become.

    Returns:
        The word after the merge.

    Example:
        >>> merge_pair([1, 1, 1], (1, 1), 9)
        (9, 1)
    """
    merged: list[int] = []
    i = 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == tuple(pair):
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return tuple(merged)


def learn_merges(text: str, vocab_size: int, pattern: str = GPT2_PATTERN) -> list[tuple[bytes, bytes]]:
    r"""Learn merges from a text until the vocabulary has ``vocab_size`` tokens or no pair is left: step 4.

    Among the most frequent pairs the greatest pair of bytes wins, compared lexicographically.

    Args:
        text: The corpus.
        vocab_size: The 256 bytes and the merged tokens together.
        pattern: The name of a pattern, or a regular expression that finds the pre-tokens.

    Returns:
        The merges in the order in which they were learnt.

    Raises:
        ValueError: The vocabulary has no room for the 256 bytes.

    Cost: one pass over all distinct words for each merge.

    Example:
        >>> learn_merges("low low low low low lower lower", 259)
        [(b'o', b'w'), (b'l', b'ow'), (b' ', b'low')]
    """
    if vocab_size < 256:
        raise ValueError(f"vocab_size {vocab_size} has no room for the 256 bytes")
    vocab = {byte: bytes([byte]) for byte in range(256)}
    words = count_words(text, pattern)
    merges: list[tuple[bytes, bytes]] = []
    while len(vocab) < vocab_size and (counts := count_pairs(words)):
        best = max(counts, key=lambda pair: (counts[pair], vocab[pair[0]], vocab[pair[1]]))
        new_id = len(vocab)
        merges.append((vocab[best[0]], vocab[best[1]]))
        vocab[new_id] = vocab[best[0]] + vocab[best[1]]
        words = {merge_pair(word, best, new_id): frequency for word, frequency in words.items()}
    return merges


def encode_word(word: bytes, merges: Sequence[tuple[bytes, bytes]]) -> list[int]:
    r"""Encode one pre-token: merge the pair that was learnt first, again and again, until none is left.

    Args:
        word: The bytes of one pre-token.
        merges: Pairs in the order in which they were learnt.

    Returns:
        Ids: 0 to 255 are the bytes, ``256 + i`` is the token that ``merges[i]`` makes.

    Example:
        >>> encode_word(b"lower", [(b"o", b"w"), (b"l", b"ow")])
        [257, 101, 114]
    """
    rank = {pair: i for i, pair in enumerate(merges)}
    id_of = {bytes([byte]): byte for byte in range(256)}
    for i, (left, right) in enumerate(merges):
        id_of.setdefault(left + right, 256 + i)
    tokens = [bytes([byte]) for byte in word]
    while pairs := [pair for pair in pairwise(tokens) if pair in rank]:
        i = list(pairwise(tokens)).index(min(pairs, key=rank.__getitem__))
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return [id_of[token] for token in tokens]


def decode(ids: Sequence[int], vocab: Mapping[int, bytes]) -> str:
    r"""Join the bytes of the tokens and read them as UTF-8; what is broken becomes U+FFFD.

    Args:
        ids: Tokens.
        vocab: The bytes of each id.

    Returns:
        The text. A character may be spread over several tokens, so the bytes are joined before they are read.

    Example:
        >>> decode([195, 169], {byte: bytes([byte]) for byte in range(256)})
        'é'
    """
    return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")


def split_special(text: str, special_tokens: Sequence[str]) -> list[str]:
    r"""Cut a text at its special tokens, and keep them as parts of their own.

    Args:
        text: Any text.
        special_tokens: Where two of them begin at one place, the longer is taken.

    Returns:
        The parts in order, none of them empty; joined, they are the text.

    Example:
        >>> split_special("one<|end|>two", ["<|end|>"])
        ['one', '<|end|>', 'two']
    """
    if not special_tokens:
        return [text] if text else []
    longest_first = sorted(special_tokens, key=len, reverse=True)
    parts = regex.split("(" + "|".join(regex.escape(token) for token in longest_first) + ")", text)
    return [part for part in parts if part]
