"""The named patterns cut as tiktoken cuts, and a certain border is one."""

import itertools

import hypothesis.strategies as st
import pytest
import regex
import tiktoken
from hypothesis import given, settings
from tiktoken_ext import openai_public

from llmcourse.tokenization import patterns

# Letters of every kind, contractions with the long s, digits, marks, white space and signs.
ODD = "aAbBdlLmrsStTvVeEſʰǅ'’"
ODD += " \t\n\r\x0b\x0c\x1c\x85\xa0\u2028\u3000\u200b\u200d0195²٣½_.!/-«»中あ가ไ้က္\u0301\u0903😀👩\x00"
texts = st.text(alphabet=st.sampled_from(ODD), max_size=40) | st.text(
    # What this Python's Unicode knows, tiktoken's does too; U+0295 has changed from small letter to other letter.
    alphabet=st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\u0295"),
    max_size=20,
)


def pieces(text: str, pattern: str) -> list[str]:
    return [match.group() for match in regex.finditer(pattern, text)]


def tiktoken_pieces(text: str, expression: str) -> list[str]:
    """Cut with tiktoken: a pre-token that is a token comes out whole, so every stretch of the text is made a token."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for start, end in itertools.combinations(range(len(text) + 1), 2):
        ranks.setdefault(text[start:end].encode(), len(ranks))
    encoding = tiktoken.Encoding("test", pat_str=expression, mergeable_ranks=ranks, special_tokens={})
    return [encoding.decode([i]) for i in encoding.encode_ordinary(text)]


@pytest.fixture(scope="module")
def official() -> dict[str, str]:
    """tiktoken's own patterns, read from its functions without the vocabularies, which it would download."""
    read = {"gpt2": openai_public.r50k_pat_str}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_public, "load_tiktoken_bpe", lambda *args, **kwargs: {})
        read |= {name: getattr(openai_public, f"{name}_base")()["pat_str"] for name in ("cl100k", "o200k")}
    return read


def test_patterns_are_those_of_tiktoken(official):
    assert patterns.PATTERNS["cl100k"] == official["cl100k"]
    assert patterns.PATTERNS["o200k"] == official["o200k"]
    assert patterns.resolve(official["gpt2"]) == patterns.GPT2_PATTERN


@pytest.mark.parametrize("name", patterns.PATTERNS)
@given(text=texts)
@settings(deadline=None, max_examples=120)
def test_cuts_as_tiktoken_does(official, name, text):
    ours = pieces(text, patterns.PATTERNS[name])
    assert "".join(ours) == text
    assert tiktoken_pieces(text, official[name]) == ours


@pytest.mark.parametrize("expression", patterns._OTHER_SPELLINGS)
@given(text=texts)
@settings(deadline=None, max_examples=100)
def test_other_spellings_cut_alike(expression, text):
    assert pieces(text, expression) == pieces(text, patterns.resolve(expression))


@pytest.mark.parametrize("pattern", sorted(patterns._KNOWN))
@given(text=texts, before=texts, after=texts)
@settings(deadline=None, max_examples=150)
def test_a_certain_border_is_one_whatever_stands_around(pattern, text, before, after):
    assert "".join(pieces(text, pattern)) == text
    found = {patterns.cut_position(text[:end], 0, pattern) for end in range(len(text) + 1)}
    for cut in found - {None}:
        left, right = before + text[:cut], text[cut:] + after
        assert pieces(left + right, pattern) == pieces(left, pattern) + pieces(right, pattern)


@pytest.mark.parametrize("pattern", sorted(patterns._KNOWN))
@pytest.mark.parametrize(
    "text", ["don't go", "DON'T go", "é\u0301a b", "a \n\n b", "ok!\r\n\r\nno", "x'l", "https://a/\n/b c"]
)
def test_every_certain_border_of_a_hard_text_is_one(pattern, text):
    for end in range(len(text) + 1):
        cut = patterns.cut_position(text[:end], 0, pattern)
        if cut is not None:
            assert pieces(text[:cut], pattern) + pieces(text[cut:], pattern) == pieces(text, pattern)


def test_what_separates_the_three():
    text = "Don'T camelCase 12345"
    assert pieces(text, patterns.GPT2_PATTERN) == ["Don", "'", "T", " camelCase", " 12345"]
    assert pieces(text, patterns.CL100K_PATTERN) == ["Don", "'T", " camelCase", " ", "123", "45"]
    assert pieces(text, patterns.O200K_PATTERN) == ["Don'T", " camel", "Case", " ", "123", "45"]


def test_no_certain_border_for_an_unknown_pattern():
    assert patterns.cut_position("a b c", 0, r"\S+|\s+") is None
    assert patterns.cut_position("a b c", 3, patterns.GPT2_PATTERN) is None


@pytest.mark.parametrize("bad", ["gpt5", "", "(", r"[a-", 7, None])
def test_unknown_names_and_bad_expressions_are_quoted(bad):
    with pytest.raises(ValueError, match="pattern") as caught:
        patterns.resolve(bad)
    assert repr(bad) in str(caught.value)
