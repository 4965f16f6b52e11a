"""Against ``str.lower`` and ``str.split``, which say what a word is."""

import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining.word_hashes import word_hashes

TEXTS = st.lists(
    st.text(st.sampled_from([*"aAbB \t\n\x00\x1c\x85\xa0\u2003\u3000ßΣσİ😀\ud800é"]), max_size=30), max_size=6
)


@settings(max_examples=200, deadline=None)
@given(texts=TEXTS)
def test_two_words_have_one_hash_exactly_where_they_are_equal(texts):
    words = [text.lower().split() for text in texts]
    hashes, counts = word_hashes(texts)
    assert counts.tolist() == [len(some) for some in words]
    of_word = {}
    for word, number in zip([word for some in words for word in some], hashes.tolist(), strict=True):
        assert of_word.setdefault(word, number) == number
    assert len(set(of_word.values())) == len(of_word)


def test_ascii_and_other_text_agree_and_place_is_of_no_matter():
    alone, _ = word_hashes(["shift"])
    later, _ = word_hashes(["a " * 1000 + "shift", "naïve shift"])
    assert later[1000] == later[-1] == alone[0]


def test_a_text_longer_than_usual_has_the_hashes_of_its_words():
    word = "x" * 200_000
    hashes, counts = word_hashes([f"one {word} one"])
    assert counts.tolist() == [3]
    assert hashes[0] == hashes[2] == word_hashes(["one"])[0][0]
    assert hashes[1] == word_hashes([word])[0][0] != word_hashes([word + "x"])[0][0]


def test_different_words_have_different_hashes_spread_over_all_bits():
    words = [f"{n:x}" for n in range(200_000)]
    hashes, _ = word_hashes([" ".join(words)])
    assert len(np.unique(hashes)) == len(words)
    shares = [float(((hashes >> np.uint64(bit)) & np.uint64(1)).mean()) for bit in range(32, 64)]
    assert max(abs(share - 0.5) for share in shares) < 0.01


def test_white_space_is_what_python_says():
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    assert max(map(ord, spaces)) == 0x3000
    for space in spaces:
        assert word_hashes([f"a{space}b", f"é{space}b"])[1].tolist() == [2, 2], ascii(space)


def test_no_document_and_no_word():
    assert [len(part) for part in word_hashes([])] == [0, 0]
    hashes, counts = word_hashes(["", " \n"])
    assert (len(hashes), counts.tolist()) == (0, [0, 0])
