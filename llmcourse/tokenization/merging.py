"""Byte pair encoding over distinct words: learn merges, apply merges."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["WordEncoder", "learn"]


def learn(
    distinct: Sequence[bytes],
    counts: np.ndarray,
    n_merges: int,
    *,
    tie_break: str,
    base_ids: Sequence[int],
    first_id: int,
) -> list[tuple[bytes, bytes]]:
    """Learn merges until ``n_merges`` new tokens exist or no pair is left.

    A token is known by its bytes: a merge that spells a token that exists already adds a merge and no token.
    """
    if tie_break not in ("bytes", "ids", "first"):
        raise ValueError(f"tie_break {tie_break!r} is unknown: choose 'bytes', 'ids' or 'first'")
    spelling = {base_ids[b]: bytes([b]) for b in range(256)}
    id_of = {token: i for i, token in spelling.items()}
    words = [[base_ids[b] for b in word] for word in distinct]
    merges: list[tuple[bytes, bytes]] = []
    n_new = 0
    while n_new < n_merges:
        stats: Counter[tuple[int, int]] = Counter()
        for word, count in zip(words, counts.tolist(), strict=True):
            for pair in zip(word, word[1:], strict=False):
                stats[pair] += count
        if not stats:
            break
        top = max(stats.values())
        tied = [pair for pair, count in stats.items() if count == top]
        if tie_break == "ids":
            pair = min(tied)
        elif tie_break == "bytes":
            pair = max(tied, key=lambda p: (spelling[p[0]], spelling[p[1]]))
        else:
            pair = tied[0]
        left, right = spelling[pair[0]], spelling[pair[1]]
        merges.append((left, right))
        if left + right not in id_of:
            id_of[left + right] = first_id + n_new
            spelling[first_id + n_new] = left + right
            n_new += 1
        new = id_of[left + right]
        for k, word in enumerate(words):
            if pair[0] in word:
                words[k] = _replace(word, pair, new)
    return merges


def _replace(word: list[int], pair: tuple[int, int], new: int) -> list[int]:
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


class WordEncoder:
    """Encode words by merge rank."""

    def __init__(
        self,
        merges: Sequence[tuple[bytes, bytes]],
        vocab: Mapping[bytes, int],
        *,
        ranks: Sequence[int] | None = None,
        whole_words: bool = False,
    ) -> None:
        ranks = range(len(merges)) if ranks is None else ranks
        self._vocab = vocab
        self._whole_words = whole_words
        self._merge = {(vocab[a], vocab[b]): (r, vocab[a + b]) for (a, b), r in zip(merges, ranks, strict=True)}
        self._byte_ids = [vocab[bytes([b])] for b in range(256)]

    def encode(self, distinct: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Encode every word: flat ids int32 and offsets int64, word i being ``flat[offsets[i]:offsets[i + 1]]``."""
        pieces = [self._encode_word(word) for word in distinct]
        offsets = np.zeros(len(pieces) + 1, np.int64)
        np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
        return np.array([i for piece in pieces for i in piece], np.int32), offsets

    def _encode_word(self, word: bytes) -> list[int]:
        if self._whole_words and word in self._vocab:
            return [self._vocab[word]]
        ids = [self._byte_ids[b] for b in word]
        while True:
            best, at, new = None, -1, -1
            for i in range(len(ids) - 1):
                found = self._merge.get((ids[i], ids[i + 1]))
                if found is not None and (best is None or found[0] < best):
                    best, at, new = found[0], i, found[1]
            if best is None:
                return ids
            ids[at : at + 2] = [new]
