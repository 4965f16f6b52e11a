"""The seed: counts against a direct count, what is left out, and scripts."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.tokenization.unigram_seed import required_characters, seed_pieces

WORDS = st.dictionaries(st.text("abc", min_size=1, max_size=10), st.integers(1, 5), min_size=1, max_size=8)


@given(WORDS)
def test_the_seed_is_every_repeated_substring_that_no_extension_replaces(words: dict[str, int]) -> None:
    counts: Counter[str] = Counter()
    for word, frequency in words.items():
        for i in range(len(word)):
            for j in range(i + 1, len(word) + 1):
                counts[word[i:j]] += frequency
    replaced = {piece[:-1] for piece, count in counts.items() if counts[piece[:-1]] == count}
    expected = {p: c * len(p) for p, c in counts.items() if len(p) > 1 and c > 1 and len(p) <= 5}
    # At the longest length nothing is known of extensions, so those stay.
    expected = {p: score for p, score in expected.items() if p not in replaced or len(p) == 5}
    found = seed_pieces(words, required_characters(words, 1.0), max_length=5)
    assert {piece: score for piece, score in found.items() if len(piece) > 1} == expected
    assert list(found)[: len(set("".join(words)))] == required_characters(words, 1.0)


def test_a_smaller_seed_is_the_most_frequent_part() -> None:
    words = {"abab": 4, "bcbc": 3, "caca": 1}
    full = seed_pieces(words, ["a", "b", "c"])
    assert list(seed_pieces(words, ["a", "b", "c"], size=2)) == list(full)[:5]


def test_reserved_strings_are_not_taken() -> None:
    assert "ab" in seed_pieces({"ab": 3}, ["a", "b"])
    assert "ab" not in seed_pieces({"ab": 3}, ["a", "b"], reserved=["ab"])


@pytest.mark.parametrize("word", ["aя", "a1", "word.", "αb", "漢a"])
def test_scripts_are_not_mixed(word: str) -> None:
    longer = [piece for piece in seed_pieces({word: 9}, sorted(set(word))) if len(piece) > 1]
    assert word not in longer
    assert word in seed_pieces({word: 9}, sorted(set(word)), split_by_script=False)


@pytest.mark.parametrize("word", ["▁ab", "ひらカナ漢字", "1.5", "e\u0301a", "ﬁn", "中ー"])
def test_these_count_as_one_script(word: str) -> None:
    assert word in seed_pieces({word: 9}, sorted(set(word)))


def test_required_characters_cover_the_share_asked_for() -> None:
    words = {"a": 90, "b": 9, "c": 1}
    assert required_characters(words, 0.9) == ["a"]
    assert required_characters(words, 0.901) == ["a", "b"]
    assert required_characters(words, 1.0) == ["a", "b", "c"]


def test_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="corpus is empty"):
        required_characters({}, 1.0)
