import pytest

from llmcourse.tokenization.lossless import words_of
from llmcourse.tokenization.patterns import PATTERNS


@pytest.mark.parametrize("pattern", [*PATTERNS.values(), r"\w+|\W"], ids=[*PATTERNS, "own"])
def test_the_words_in_order_are_the_text(pattern):
    text = "One two,  one\r\n中文 é😀 1234 don't"
    words = words_of(text, pattern)
    assert b"".join(words.distinct[i] for i in words.sequence) == text.encode()
    assert sum(words.counts) == len(words.sequence)


@pytest.mark.parametrize("pattern", [*PATTERNS.values(), r"(?s:.+)"], ids=[*PATTERNS, "own"])
@pytest.mark.parametrize(("text", "place"), [("\ud800", 0), ("ab\udfff", 2), ("é中" * 50 + "\udc00", 100)])
def test_a_lone_surrogate_is_named_with_its_place(pattern, text, place):
    with pytest.raises(ValueError, match=rf"character {place} .*U\+{ord(text[place]):04X}"):
        words_of(text, pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "left_out"),
    [(r"\w+", "ab cd", "' '"), (r"\d+", "12ab", "'ab'"), ("x|y", "é", "'é'"), (r"(\w)(\w)", "ab!cd", "'!'")],
)
def test_what_a_pattern_leaves_out_is_quoted(pattern, text, left_out):
    with pytest.raises(ValueError, match=left_out):
        words_of(text, pattern)


def test_empty_matches_are_no_words():
    assert words_of("ab c", r"\w*|\W").distinct == [b"ab", b" ", b"c"]


def test_groups_in_a_pattern_do_not_change_the_words():
    assert words_of("ab cd", r"(\w)(\w)|( )").distinct == [b"ab", b" ", b"cd"]
