import numpy as np
import pytest

from llmcourse.tokenization.pair_index import PairIndex
from llmcourse.tokenization.tie_breaks import TIE_BREAKS

# b has the smallest id here, c stands first, z is the greatest string.
BASE_IDS = [(byte - ord("b")) % 256 for byte in range(256)]
WORDS = [b"cd", b"az", b"bq", b"za"]
FIRST = {"ids": b"bq", "bytes": b"za", "first": b"cd"}


@pytest.mark.parametrize("rule", TIE_BREAKS)
def test_of_equal_counts_each_rule_takes_its_own(rule: str) -> None:
    index = PairIndex(WORDS, np.ones(len(WORDS), np.int64), BASE_IDS)
    spelling = {BASE_IDS[byte]: bytes([byte]) for byte in range(256)}
    order = TIE_BREAKS[rule](index, spelling, 300)
    pairs = np.arange(index.n_pairs)
    sorted_pairs = pairs[order.sort(pairs, index.count[pairs])].tolist()
    spelled = [spelling[int(index.left[pair])] + spelling[int(index.right[pair])] for pair in sorted_pairs]
    assert spelled[0] == FIRST[rule]
    for place, pair in enumerate(sorted_pairs):
        as_new = int(index.left[pair]), int(index.right[pair]), int(index.places(pair)[0])
        precedes = [order.comes_first(as_new, other) for other in sorted_pairs]
        assert precedes == [False] * (place + 1) + [True] * (len(sorted_pairs) - place - 1)


@pytest.mark.parametrize("rule", TIE_BREAKS)
def test_a_greater_count_comes_before_every_rule(rule: str) -> None:
    index = PairIndex(WORDS, np.array([1, 5, 1, 1]), BASE_IDS)
    order = TIE_BREAKS[rule](index, {BASE_IDS[byte]: bytes([byte]) for byte in range(256)}, 300)
    pairs = np.arange(index.n_pairs)
    assert index.count[pairs[order.sort(pairs, index.count[pairs])[0]]] == 5


def test_labels_keep_the_order_of_strings_when_there_is_no_room_between_two() -> None:
    index = PairIndex([b"ab", b"ac"], np.ones(2, np.int64), range(256))
    spelling = {byte: bytes([byte]) for byte in range(256)}
    order = TIE_BREAKS["bytes"](index, spelling, 400)
    for place in range(100):  # each falls between the one before it and b"b": the room halves each time
        spelling[256 + place] = b"a" + b"\xff" * (place + 1)
        order.add(256 + place)
    index.left[:2] = [256 + 98, 256 + 99]
    index.right[:2] = 97
    assert order.sort(np.arange(2), np.ones(2, np.int64)).tolist() == [1, 0]
