from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenization.pair_index import PairIndex
from llmcourse.tokenization.steps import count_pairs, merge_pair

BYTES = range(256)


def alive(index: PairIndex) -> dict[tuple[int, int], int]:
    used = slice(index.n_pairs)
    pairs = zip(index.left[used].tolist(), index.right[used].tolist(), index.count[used].tolist(), strict=True)
    return {(left, right): count for left, right, count in pairs if count}


@given(st.dictionaries(st.text("abc", min_size=1, max_size=12).map(str.encode), st.integers(1, 9), min_size=1))
@settings(deadline=None)
def test_counts_stay_those_of_counting_afresh(corpus: dict[bytes, int]) -> None:
    index = PairIndex(list(corpus), np.array(list(corpus.values())), BYTES)
    words = Counter({tuple(word): count for word, count in corpus.items()})
    for token in range(256, 262):
        assert alive(index) == count_pairs(words)
        if not alive(index):
            break
        best = int(np.argmax(index.count[: index.n_pairs]))
        pair = int(index.left[best]), int(index.right[best])
        batch, tokens = np.array([best]), np.array([token], np.int32)
        changes, n_merges = index.examine(batch, tokens)
        assert n_merges == 1
        index.commit(batch, tokens, changes, 1)
        merged: Counter[tuple[int, ...]] = Counter()
        for word, count in words.items():
            merged[tuple(merge_pair(word, pair, token))] += count
        words = merged


def test_a_batch_ends_where_merges_stand_side_by_side() -> None:
    index = PairIndex([b"abxcd", b"abcd"], np.array([1, 1]), BYTES)
    number = {(int(index.left[pair]), int(index.right[pair])): pair for pair in range(index.n_pairs)}
    batch = np.array([number[(97, 98)], number[(99, 100)]])
    before = alive(index)
    changes, n_merges = index.examine(batch, np.array([256, 257], np.int32))
    assert n_merges == 1
    assert changes.at.size == 2  # ab stands twice
    assert alive(index) == before


def test_places_are_where_a_pair_still_stands() -> None:
    index = PairIndex([b"ab", b"abc"], np.array([1, 1]), BYTES)
    number = {(int(index.left[pair]), int(index.right[pair])): pair for pair in range(index.n_pairs)}
    tokens = np.array([256], np.int32)
    assert index.places(number[(97, 98)]).size == 2
    batch = np.array([number[(98, 99)]])
    arisen = index.commit(batch, tokens, index.examine(batch, tokens)[0], 1)
    assert index.places(number[(97, 98)]).size == 1
    assert [(int(index.left[pair]), int(index.right[pair])) for pair in arisen] == [(97, 256)]
