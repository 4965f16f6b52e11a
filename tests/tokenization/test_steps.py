"""The reading form of byte pair encoding, and that the fast form gives the same."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from llmcourse.pretraining import docstrings, human_rights
from llmcourse.tokenization import steps, train_bpe
from llmcourse.tokenization.patterns import PATTERNS


def test_pre_tokens_are_counted_by_frequency():
    assert steps.count_words("ab ab ab") == {(97, 98): 1, (32, 97, 98): 2}
    assert steps.count_pairs({(97, 98): 1, (32, 97, 98): 2}) == {(97, 98): 3, (32, 97): 2}


def test_overlapping_pairs_count_each_but_merge_once():
    assert steps.count_pairs({(1, 1, 1): 4}) == {(1, 1): 8}
    assert steps.merge_pair((1, 1, 1), (1, 1), 2) == (2, 1)
    assert steps.merge_pair((1, 1, 1, 1), (1, 1), 2) == (2, 2)
    assert steps.merge_pair([0, 1, 2, 1], (1, 2), 3) == (0, 3, 1)
    assert steps.merge_pair([], (1, 2), 3) == ()


def test_tie_goes_to_the_greatest_pair_of_bytes():
    assert steps.learn_merges("ab zy", 257) == [(b"z", b"y")]
    # " " + "a" comes as often as "a" + "b", and is the smaller.
    assert steps.learn_merges("ab ab", 257) == [(b"a", b"b")]


def test_no_merge_crosses_a_border_of_pre_tokens():
    merges = steps.learn_merges("a b " * 50, 300)
    assert all(b" " not in (left + right)[1:] for left, right in merges)


def test_learning_stops_where_no_pair_is_left():
    assert steps.learn_merges("ab", 1000) == [(b"a", b"b")]
    assert steps.learn_merges("", 300) == []
    with pytest.raises(ValueError, match="255"):
        steps.learn_merges("ab", 255)


def test_encoding_goes_by_rank_and_not_by_length():
    merges = [(b"b", b"c"), (b"a", b"b"), (b"ab", b"c")]
    assert steps.encode_word(b"abc", merges) == [97, 256]
    assert steps.encode_word(b"", merges) == []


def test_decode_joins_bytes_before_reading_them():
    vocab = {byte: bytes([byte]) for byte in range(256)}
    assert steps.decode("é€".encode(), vocab) == "é€"
    assert steps.decode([0xE2, 0x82, 40], vocab) == "\ufffd("


def test_longest_special_token_wins():
    assert steps.split_special("a<e><e>>b", ["<e>", "<e>>"]) == ["a", "<e>", "<e>>", "b"]
    assert steps.split_special("<e>", ["<e>"]) == ["<e>"]
    assert steps.split_special("a.b", ["."]) == ["a", ".", "b"]
    assert steps.split_special("ab", []) == ["ab"]
    assert steps.split_special("", ["<e>"]) == steps.split_special("", []) == []


@given(st.text(alphabet="abc  '", min_size=1, max_size=60), st.integers(256, 280), st.sampled_from(list(PATTERNS)))
@settings(deadline=None, max_examples=150)
def test_fast_form_learns_the_same_merges(text, vocab_size, pattern):
    slow = steps.learn_merges(text, vocab_size, pattern)
    assert train_bpe(text, vocab_size, pattern=pattern).merges == slow


@pytest.mark.parametrize("corpus", ["english", "many languages"])
def test_both_forms_agree_on_real_text(corpus):
    text = docstrings("numpy", max_bytes=40_000) if corpus == "english" else "\n".join(human_rights().values())
    tokenizer = train_bpe(text, 340)
    merges = steps.learn_merges(text, 340)
    assert tokenizer.merges == merges
    words = ["".join(map(chr, word)).encode("latin-1") for word in steps.count_words(text)][:500]
    assert [tokenizer.encode(word.decode()) for word in words] == [steps.encode_word(word, merges) for word in words]
    ids = tokenizer.encode(text)
    assert steps.decode(ids, tokenizer.vocab) == tokenizer.decode(ids) == text
