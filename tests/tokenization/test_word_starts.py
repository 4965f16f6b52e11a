from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmcourse.tokenization.character_classes import classes_of
from llmcourse.tokenization.pretokenize import RULES
from llmcourse.tokenization.word_starts import index_in_run, word_starts

# Characters about which the patterns' alternatives quarrel; then all others.
QUARREL = "aAbsStTlLvVeErRdDmM''''  \n\r\t1234/!.-_\u0301あ你ǅſʰ\u034f\xa0\u3000\x1c\x85२é\u0300😀\ufe0f"
SMALL = "aAsSſt'' '\n/!1あ\u0300"
TEXTS = st.one_of(
    st.text(st.sampled_from(SMALL), min_size=1, max_size=24),
    st.text(st.sampled_from(QUARREL), min_size=1, max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
)


def cut(text: str, pattern: str) -> list[str] | None:
    characters = np.array([ord(character) for character in text], np.uint32)
    starts = word_starts(characters, classes_of(characters), RULES[pattern])
    if starts is None:
        return None
    places = [*np.flatnonzero(starts).tolist(), len(text)]
    return [text[begin:end] for begin, end in pairwise(places)]


@pytest.mark.parametrize("pattern", RULES)
@given(text=TEXTS)
@example(text="I'll don't DON'T 'S 'ſ it's't's 'ſa it'ſa")
@example(text="x  \n \n\n  y\t\tz   ")
@example(text="() ;\n//x */\n/!x \r\n\r\n")
@example(text="camelCase ABCdef あAb ABあA あaあB xſ'sあAb")
@example(text="!\u0301 !!\u0301a  !\u0301b \u0301AB !\u0301!\u0301!!\u0301x")
@example(text="12345 ١٢٣٤x Ⅷ²³")
@settings(max_examples=400, deadline=None)
def test_words_start_where_the_expression_says(pattern: str, text: str) -> None:
    found = cut(text, pattern)
    if found is not None:
        assert found == regex.findall(pattern, text)


@pytest.mark.parametrize("pattern", RULES)
def test_only_marks_together_with_slashes_are_left_to_the_expression(pattern: str) -> None:
    assert cut("it's a\n/b \u0301c !d", pattern) is not None
    doubtful = cut("!\u0301 ;\n/ ", pattern)
    assert (doubtful is None) == RULES[pattern].cased


def test_index_in_run_of_nothing() -> None:
    assert index_in_run(np.empty(0, np.int64)).tolist() == []
