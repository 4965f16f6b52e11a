import random

import numpy as np
import pytest

from llmcourse.tokenization.pair_ranks import NO_RANK, PairRanks

BYTES = range(256)


@pytest.mark.parametrize("size", [0, 1, 50, 20_000])
def test_array_look_up_equals_the_dict(size: int) -> None:
    chance = random.Random(size)
    pairs = list({(chance.randrange(3000), chance.randrange(3000)) for _ in range(size)})
    merges = [(left, right, 5000 + place) for place, (left, right) in enumerate(pairs)]
    ranks = PairRanks(merges, range(len(pairs)), BYTES)
    strange = [(chance.randrange(3000), chance.randrange(3000)) for _ in range(500)] + [(-1, 3), (3, -1), (-1, -1)]
    asked = pairs + strange
    left, right = np.array(asked, np.int32).T
    assert ranks.of(left, right).tolist() == [ranks.table.get(pair, (NO_RANK,))[0] for pair in asked]
    assert ranks.makes[ranks.of(*np.array(pairs, np.int32).reshape(-1, 2).T)].tolist() == [
        5000 + place for place in range(len(pairs))
    ]


def test_pairs_of_bytes_are_looked_up_by_their_tokens() -> None:
    byte_ids = [byte + 7 for byte in BYTES]
    ranks = PairRanks([(97 + 7, 98 + 7, 300)], [0], byte_ids)
    found = ranks.of_bytes(np.array([97, 98], np.uint8), np.array([98, 97], np.uint8))
    assert found.tolist() == [0, NO_RANK]


def test_ranks_are_counted_from_0_and_a_repeated_pair_takes_its_last() -> None:
    ranks = PairRanks([(1, 2, 300), (300, 3, 301), (1, 2, 300)], [10, 70, 90], BYTES)
    assert ranks.table == {(1, 2): (2, 300), (300, 3): (1, 301)}


def test_rising() -> None:
    merges = [(1, 2, 300), (300, 3, 301)]
    assert PairRanks(merges, [0, 1], BYTES).rising
    assert not PairRanks(merges, [1, 0], BYTES).rising
    assert PairRanks([], [], BYTES).rising


def test_one_rank_for_two_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="rank 4 stands for merges into different tokens"):
        PairRanks([(1, 2, 300), (2, 1, 301)], [4, 4], BYTES)


def test_too_few_ranks_are_refused() -> None:
    with pytest.raises(ValueError, match="1 ranks for 2 merges"):
        PairRanks([(1, 2, 300), (2, 1, 301)], [4], BYTES)
