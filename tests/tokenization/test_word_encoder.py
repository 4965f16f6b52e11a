from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import docstrings
from llmcourse.tokenization import word_encoder
from llmcourse.tokenization.merging import learn
from llmcourse.tokenization.patterns import GPT2_PATTERN
from llmcourse.tokenization.pretokenize import find_words
from llmcourse.tokenization.word_encoder import WordEncoder, ids_of_text, list_of

Merges = list[tuple[bytes, bytes]]
BYTES = {bytes([byte]): byte for byte in range(256)}


def encode_naively(word: bytes, table: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    """Merge the leftmost pair of lowest rank, one at a time."""
    parts = [bytes([byte]) for byte in word]
    while True:
        ranked = [(table[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in table]
        if not ranked:
            return parts
        at = min(ranked)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def vocab_of(merges: Merges) -> dict[bytes, int]:
    vocab = dict(BYTES)
    for left, right in merges:
        for token in (left, right, left + right):
            vocab.setdefault(token, len(vocab))
    return vocab


@st.composite
def any_merges(draw: st.DrawFn) -> Merges:
    """Return merges in any order, also such as no training gives."""
    tokens = [b"a", b"b", b"c"]
    merges: Merges = []
    for left, right in draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=25)):
        merges.append((tokens[left % len(tokens)], tokens[right % len(tokens)]))
        tokens.append(b"".join(merges[-1]))
    return draw(st.permutations(merges))


def learnt(words: list[bytes]) -> Merges:
    counts = np.ones(len(words), np.int64)
    return learn(words, counts, 30, tie_break="bytes", base_ids=range(256), first_id=256)


WORDS = st.lists(st.text("abc", min_size=1, max_size=30).map(str.encode), min_size=1, max_size=40, unique=True)


@given(words=WORDS, merges=st.none() | any_merges(), few=st.sampled_from([0, 1000]), by_id=st.booleans())
@settings(deadline=None, max_examples=200)
def test_words_are_merged_by_rank(words: list[bytes], merges: Merges | None, few: int, by_id: bool) -> None:
    merges = learnt(words) if merges is None else merges
    vocab = vocab_of(merges)
    ranks = [vocab[left + right] for left, right in merges] if by_id else list(range(len(merges)))
    table = dict(zip(merges, ranks, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_encoder, "_FEW", few)
        ids, offsets = WordEncoder(merges, vocab, ranks=ranks).encode(words)
    found = [ids[begin:end].tolist() for begin, end in pairwise(offsets.tolist())]
    assert found == [[vocab[part] for part in encode_naively(word, table)] for word in words]
    assert (ids.dtype, offsets.dtype) == (np.int32, np.int64)


@given(text=st.text("abc", min_size=2, max_size=200), merges=st.none() | any_merges())
@settings(deadline=None, max_examples=200)
def test_a_huge_word_is_a_word_too(text: str, merges: Merges | None) -> None:
    word = text.encode()
    merges = learnt([word, b"abcabcaabb"]) if merges is None else merges
    vocab = vocab_of(merges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_encoder, "_HUGE", 1)
        patch.setattr(word_encoder, "_FEWEST_PLACES", 10)
        ids, _ = WordEncoder(merges, vocab).encode([word])
    table = {pair: rank for rank, pair in enumerate(merges)}
    assert ids.tolist() == [vocab[part] for part in encode_naively(word, table)]


def test_a_merge_that_makes_a_better_pair_is_not_done_everywhere_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vocab = BYTES | {b"ab": 256, b"aba": 257}
    encoder = WordEncoder([(b"ab", b"a"), (b"a", b"b")], vocab)
    monkeypatch.setattr(word_encoder, "_HUGE", 1)
    assert encoder.encode([b"ababab"])[0].tolist() == [257, 98, 256]


def test_words_of_all_lengths_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [b"ab" * size for size in range(1, 120)] + [b"ba" * size for size in range(1, 120)]
    merges = learnt(words)
    vocab = vocab_of(merges)
    table = {pair: rank for rank, pair in enumerate(merges)}
    wanted = [vocab[part] for word in words for part in encode_naively(word, table)]
    for block in (1, 1000, 1 << 18):
        monkeypatch.setattr(word_encoder, "_BLOCK", block)
        assert WordEncoder(merges, vocab).encode(words)[0].tolist() == wanted


def test_whole_words_are_taken_whole() -> None:
    vocab = BYTES | {b"ab": 256, b"abc": 257}
    for words in ([b"abc"], [b"abc"] * 100):
        assert WordEncoder([(b"a", b"b")], vocab).encode(words)[0].tolist() == [256, 99] * len(words)
        whole = WordEncoder([(b"a", b"b")], vocab, whole_words=True)
        assert whole.encode(words)[0].tolist() == [257] * len(words)


def test_the_cache_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_encoder, "_CACHED", 3)
    encoder = WordEncoder([(b"a", b"b")], BYTES | {b"ab": 256})
    words = [b"ab", b"abc", b"b", b"ca", b"abab"]
    once, again = encoder.encode(words)[0].tolist(), encoder.encode(words)[0].tolist()
    assert once == again == [256, 256, 99, 98, 99, 97, 256, 256]
    assert len(encoder._cache) <= 3


def test_a_million_times_the_same_letter() -> None:
    vocab, merges = dict(BYTES), []
    for place in range(7):
        merges.append((b"a" * (1 << place), b"a" * (1 << place)))
        vocab[b"".join(merges[-1])] = 256 + place
    ids, _ = WordEncoder(merges, vocab).encode([b"a" * 1_000_001])
    assert ids.tolist() == [262] * (1_000_000 // 128) + [261, 97]


def test_ids_of_a_text_over_several_blocks() -> None:
    words = find_words(docstrings("jinja2", max_bytes=100_000), GPT2_PATTERN)
    sequence = np.tile(words.sequence, 20)
    assert sequence.size > 1 << 16
    ids, offsets = WordEncoder([(b"t", b"h")], BYTES | {b"th": 256}).encode(words.distinct)
    each = [ids[begin:end].tolist() for begin, end in pairwise(offsets.tolist())]
    wanted = [token for number in sequence.tolist() for token in each[number]]
    assert ids_of_text(ids, offsets, sequence).tolist() == wanted
    assert ids_of_text(ids, offsets, sequence[:0]).size == 0


def test_no_words() -> None:
    ids, offsets = WordEncoder([], BYTES).encode([])
    assert (ids.size, offsets.tolist()) == (0, [0])


def test_a_list_of_ids_has_one_object_for_equal_ones() -> None:
    for ids in ([], [5], [300, 1000, 2] * 2000):
        found = list_of(np.array(ids, np.int32))
        assert found == ids
        assert all(type(token) is int for token in found)
    assert found[0] is found[3]
