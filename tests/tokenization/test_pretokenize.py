import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import docstrings, language_names
from llmcourse.tokenization import pretokenize
from llmcourse.tokenization.patterns import PATTERNS
from llmcourse.tokenization.pretokenize import RULES, Words, find_words

TEXT = st.text(
    st.one_of(
        st.sampled_from("aAbst''  \n\r\t12/!.あ\u0301\xa0ſ"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=120,
)


def by_expression(text: str, pattern: str) -> Words:
    numbers: dict[bytes, int] = {}
    sequence = [numbers.setdefault(word.encode(), len(numbers)) for word in regex.findall(pattern, text)]
    counts = [sequence.count(number) for number in range(len(numbers))]
    return Words(list(numbers), np.array(counts, np.int64), np.array(sequence, np.int32))


def assert_same(found: Words, wanted: Words) -> None:
    assert found.distinct == wanted.distinct
    assert found.sequence.tolist() == wanted.sequence.tolist()
    assert found.counts.tolist() == wanted.counts.tolist()
    assert (found.counts.dtype, found.sequence.dtype) == (np.int64, np.int32)


@pytest.mark.parametrize("pattern", RULES)
@given(text=TEXT, chunk=st.sampled_from([1, 3, 10, 1000]))
@settings(deadline=None)
def test_arrays_give_what_the_expression_gives(pattern: str, text: str, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretokenize, "_SHORT", 0)
        patch.setattr(pretokenize, "_CHUNK", chunk)
        assert_same(find_words(text, pattern), by_expression(text, pattern))


@pytest.mark.parametrize("pattern", PATTERNS.values())
def test_real_text_in_many_scripts(pattern: str) -> None:
    scripts = "en ru el ar he hi ta te th ka hy am ko ja zh my km lo si bn".split()
    names = " ".join(" ".join(language_names(locale)) for locale in scripts)
    text = docstrings("jinja2", max_bytes=100_000) + names + "\n👩‍👩‍👧 ❤️ naïve\r\n" * 9
    found, wanted = find_words(text, pattern), regex.findall(pattern, text)
    assert [found.distinct[number].decode() for number in found.sequence.tolist()] == wanted


def test_all_three_patterns_take_the_array_path() -> None:
    assert set(PATTERNS.values()) <= set(RULES)


def test_text_that_a_pattern_of_ones_own_leaves_out_is_left_out() -> None:
    assert find_words("ab 12 cd", r"\p{L}*").distinct == [b"ab", b"cd"]


def test_no_text() -> None:
    for pattern in PATTERNS.values():
        found = find_words("", pattern)
        assert (found.distinct, found.counts.size, found.sequence.size) == ([], 0, 0)


@pytest.mark.parametrize("size", [3, 5000])
def test_half_a_surrogate_pair_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        find_words("a" * size + "\ud800", PATTERNS["gpt2"])


@pytest.mark.parametrize("pattern", PATTERNS.values())
@pytest.mark.parametrize("unit", ["a", "'", " ", "\n", "文", "1", "!\u0301", "\n/", "a'", " \n"])
def test_a_text_of_one_thing_again_and_again(pattern: str, unit: str) -> None:
    text = unit * 3000
    found = find_words(text, pattern)
    assert [found.distinct[number].decode() for number in found.sequence.tolist()] == regex.findall(pattern, text)
