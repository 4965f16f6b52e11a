import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenization import word_table
from llmcourse.tokenization.word_table import WordTable

WORDS = st.one_of(
    st.binary(min_size=1, max_size=9),
    st.text("ab\0", min_size=1, max_size=20).map(str.encode),
    st.integers(1, 40).map(lambda size: b"a" * size),
    st.integers(1, 9).map(bytes),
)


def number(chunks: list[list[bytes]]) -> tuple[list[int], list[bytes]]:
    table = WordTable()
    numbers: list[int] = []
    for words in chunks:
        starts = np.cumsum([0, *map(len, words)])[:-1]
        numbers += table.number(b"".join(words), starts).tolist()
    return numbers, table.distinct


def expected(chunks: list[list[bytes]]) -> tuple[list[int], list[bytes]]:
    numbers: dict[bytes, int] = {}
    return [numbers.setdefault(word, len(numbers)) for words in chunks for word in words], list(numbers)


CHUNKS = st.lists(st.lists(WORDS, min_size=1, max_size=60), min_size=1, max_size=4)


@given(CHUNKS)
@settings(deadline=None)
def test_numbers_are_those_of_a_dictionary(chunks: list[list[bytes]]) -> None:
    assert number(chunks) == expected(chunks)


@given(chunks=CHUNKS)
@settings(deadline=None)
def test_words_with_one_hash_are_told_apart(chunks: list[list[bytes]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Every hash of 56 bits becomes 0, and every probe begins at one place.
        patch.setattr(word_table, "_ODD_1", np.uint64(0))
        patch.setattr(word_table, "_ODD_2", np.uint64(0))
        patch.setattr(word_table, "_ODD_3", np.uint64(0))
        assert number(chunks) == expected(chunks)


def test_the_table_grows() -> None:
    words = [b"%d" % count for count in range(30_000)] * 2
    assert number([words[:100], words[100:]]) == expected([words])


def test_words_of_equal_ends_and_unequal_length_differ() -> None:
    words = [b"a" * size for size in range(7, 20)]
    assert number([words, words]) == expected([words, words])
