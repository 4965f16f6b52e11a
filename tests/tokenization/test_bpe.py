"""Encoding and decoding, beside tiktoken given the same ranks and pattern."""

import itertools
import pickle
import time
import tracemalloc

import hypothesis.strategies as st
import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from tiktoken_ext import openai_public

from llmcourse.pretraining import docstrings, human_rights, language_names, source_code
from llmcourse.tokenization import PATTERNS, BPETokenizer, train_bpe

END, PAD = "<|endoftext|>", "<|pad|>"
BYTES = {byte: bytes([byte]) for byte in range(256)}
SCRIPTS = "am ar bn bo el en gu he hi hy ja ka km kn ko lo ml mr my or pa ru si ta te th ur zh".split()
HARD = {
    "emoji": "😀 👍🏽 👩‍👩‍👧‍👦🏳️‍🌈 ☎️ #️⃣ 🇩🇪🇯🇵",
    "control": "".join(map(chr, range(0x20))) + "\x7f\x80\x85\x9f\u200b\u200e\u2028\ufeff\ufffe\uffff\U0010ffff",
    "line ends": "a\r\nb\n\rc\r\n\r\n  d\n \n\n e\t\tf \r\n",
    "combining": "e\u0301 n\u0303\u0323 Z\u0351\u036b\u0343 \u0301alone ไม่ใช่ क्षि 각\u1100\u1161\u11a8",
    "white space": " \u00a0\u2003  x   y\u3000z    ",
    "case": "CamelCase SHOUTING iOS Don'T won'T IT'S ſ'ſ ǅ ʰa",
    "digits": "1 12 123 1234 12345678 ٣٤٥٦ ²³ ½ Ⅷ 1,000.50",
    "repeats": "a" * 1000 + "!" * 1000 + " " * 1000 + "\n" * 1000 + "7" * 1000 + "中" * 1000 + "ab" * 1000,
    "empty": "",
}


def as_tiktoken(tokenizer: BPETokenizer) -> tiktoken.Encoding:
    special = tokenizer.special_tokens
    ranks = {token: i for i, token in tokenizer.vocab.items() if i not in special.values()}
    return tiktoken.Encoding("test", pat_str=tokenizer.pattern, mergeable_ranks=ranks, special_tokens=special)


@pytest.fixture(scope="module")
def corpus():
    return "\n".join(
        [
            docstrings("numpy", max_bytes=60_000),
            source_code("numpy", max_bytes=60_000),
            *human_rights().values(),
            *(" ".join(language_names(locale)[:80]) for locale in SCRIPTS),
        ]
    )


@pytest.fixture(scope="module", params=list(PATTERNS))
def tokenizer(request, corpus):
    return train_bpe(corpus, 1500, special_tokens=[END, PAD], pattern=request.param)


@pytest.fixture(scope="module")
def oracle(tokenizer):
    return as_tiktoken(tokenizer)


@pytest.mark.parametrize("locale", SCRIPTS)
def test_scripts_as_tiktoken(tokenizer, oracle, locale):
    text = "\n".join(language_names(locale))
    ids = tokenizer.encode(text)
    assert ids == oracle.encode(text)
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_hard_text_as_tiktoken(tokenizer, oracle, text):
    ids = tokenizer.encode(text)
    assert ids == oracle.encode(text)
    assert tokenizer.decode(ids) == text


def test_real_text_as_tiktoken(tokenizer, oracle, corpus):
    unseen = docstrings("hypothesis", max_bytes=100_000) + source_code("hypothesis", max_bytes=100_000)
    for text in (corpus, unseen):
        ids = tokenizer.encode(text)
        assert ids == oracle.encode(text)
        assert tokenizer.decode(ids) == text
        assert len(ids) < 0.7 * len(text.encode())


@given(text=st.text(max_size=60) | st.text(alphabet="ab '\n<|>1é中", max_size=60))
@settings(deadline=None, max_examples=150)
def test_any_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text, disallowed_special=())
    assert tokenizer.decode(ids, errors="strict") == text
    assert list(tokenizer.encode_iterable(text, disallowed_special=())) == ids


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_decoding_any_ids_as_tiktoken(tokenizer, oracle, data):
    ids = data.draw(st.lists(st.sampled_from(sorted(tokenizer.vocab)), max_size=30))
    assert tokenizer.decode_bytes(ids) == oracle.decode_bytes(ids)
    assert tokenizer.decode(ids) == oracle.decode(ids)


def test_broken_utf8_becomes_the_replacement_character(tokenizer):
    assert tokenizer.decode([0xE2, 0x82]) == "\ufffd"
    with pytest.raises(ValueError, match="utf-8"):
        tokenizer.decode([0xE2, 0x82], errors="strict")


@given(
    pieces=st.lists(st.sampled_from([END, PAD, "<|end", "oftext|>", " ", "\n\n", "word", "'s", "é", "👩‍👧", "12"])),
    cuts=st.lists(st.integers(0, 60)),
)
@settings(deadline=None, max_examples=150)
def test_stream_equals_whole_whatever_the_chunks(tokenizer, oracle, pieces, cuts):
    text = "".join(pieces)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    chunks = [text[a:b] for a, b in itertools.pairwise(places)]
    ids = tokenizer.encode(text, allowed_special="all")
    assert list(tokenizer.encode_iterable(iter(chunks), allowed_special="all")) == ids
    assert ids == oracle.encode(text, allowed_special="all")


def test_stream_of_lines_equals_whole(tokenizer, corpus):
    text = corpus.replace("\n\n", END)
    lines = iter(text.splitlines(keepends=True))
    assert list(tokenizer.encode_iterable(lines, allowed_special={END})) == tokenizer.encode(
        text, allowed_special={END}
    )


def test_a_stream_forgets_words_and_still_equals_the_whole(tokenizer, corpus, monkeypatch):
    monkeypatch.setattr("llmcourse.tokenization.bpe._REMEMBERED_WORDS", 100)
    monkeypatch.setattr("llmcourse.tokenization.bpe._REMEMBERED_BYTES", 6)
    text = corpus[:50_000] + "longer than is remembered" * 3 + corpus[:50_000]
    parts = (text[i : i + 300] + END for i in range(0, len(text), 300))
    whole = "".join(text[i : i + 300] + END for i in range(0, len(text), 300))
    ids = tokenizer.encode(whole, allowed_special="all")
    assert list(tokenizer.encode_iterable(parts, allowed_special="all")) == ids


def test_memory_of_a_stream_does_not_grow_with_it(monkeypatch):
    monkeypatch.setattr("llmcourse.tokenization.bpe._REMEMBERED_WORDS", 1000)
    tokenizer = train_bpe("word and more " * 10, 270)

    def peak(n_chunks):
        words = (f"word{i} and {'x' * (i % 100)} more\n" for i in range(n_chunks))
        tracemalloc.start()
        for _ in tokenizer.encode_iterable(words):
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(1000)
    assert peak(16_000) < 1.4 * peak(8_000)


def test_stream_refuses_special_tokens_and_checks_its_arguments_at_once(tokenizer):
    stream = tokenizer.encode_iterable(["fine <|endo", "ftext|>"])
    with pytest.raises(ValueError, match=r"<\|endoftext\|>"):
        list(stream)
    with pytest.raises(ValueError, match="nonsense"):
        tokenizer.encode_iterable([], allowed_special={"nonsense"})


@pytest.mark.parametrize(
    ("pattern", "unit", "n"), [("gpt2", "a", 1_000_000), ("gpt2", " ", 1_000_000), ("o200k", "中", 333_333)]
)
def test_a_million_times_the_same_is_not_quadratic(pattern, unit, n):
    tokenizer = train_bpe(unit * 1000 + " abc" * 100, 300, pattern=pattern)
    text = unit * n
    begun = time.perf_counter()
    ids = tokenizer.encode(text)
    seconds = time.perf_counter() - begun
    assert seconds < 30, f"{seconds:.1f} s"  # 2 to 4 on a quiet core; a quadratic method takes hours
    if pattern == "gpt2":
        # This spelling, equal otherwise, spares tiktoken a stack that a million spaces overflow.
        tokenizer.pattern = openai_public.r50k_pat_str
    assert ids == as_tiktoken(tokenizer).encode(text)


@pytest.mark.parametrize("allowed", [(), "all", {PAD}])
def test_special_tokens_as_tiktoken(tokenizer, oracle, allowed):
    text = f"one{PAD} two {PAD}{PAD}\n\n{PAD}"
    options = {"allowed_special": set(allowed) if allowed != "all" else "all", "disallowed_special": ()}
    assert tokenizer.encode(text, **options) == oracle.encode(text, **options)
    assert (tokenizer.special_tokens[PAD] in tokenizer.encode(text, **options)) == bool(allowed)


def test_special_tokens_are_refused_unless_allowed(tokenizer):
    with pytest.raises(ValueError, match=r"<\|endoftext\|>"):
        tokenizer.encode(f"ends{END}")
    with pytest.raises(ValueError, match=r"<\|endoftext\|>"):
        tokenizer.encode(f"ends{END}", allowed_special={PAD})
    assert tokenizer.encode(END, allowed_special={END}) == [tokenizer.special_tokens[END]]


def test_explicit_ids_of_special_tokens():
    tokenizer = BPETokenizer(BYTES, [], {END: 100257, PAD: 100276})
    assert tokenizer.encode(f"a{PAD}", allowed_special="all") == [97, 100276]
    assert tokenizer.decode([100257]) == END
    assert tokenizer.vocab_size == 100277


def test_a_tokenizer_can_be_made_again_of_its_parts(tokenizer):
    for special in (tokenizer.special_tokens, list(tokenizer.special_tokens)):
        again = BPETokenizer(tokenizer.vocab, tokenizer.merges, special, tokenizer.pattern)
        assert (again.vocab, again.special_tokens) == (tokenizer.vocab, tokenizer.special_tokens)
        assert again.encode("one two") == tokenizer.encode("one two")
    assert pickle.loads(pickle.dumps(tokenizer)).encode("one two") == tokenizer.encode("one two")


def test_batch_and_array_equal_encode(tokenizer):
    texts = ["one", "", "two words", "é中😀"]
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]
    array = tokenizer.encode_to_numpy("two words")
    assert array.dtype == np.int32
    assert array.tolist() == tokenizer.encode("two words")
    assert tokenizer.decode(array) == "two words"
    assert tokenizer.encode_to_numpy("").tolist() == []


def test_merges_go_by_rank_and_whole_words_are_taken_only_on_request():
    merges = [(b"b", b"c"), (b"a", b"b")]
    vocab = {**BYTES, 256: b"bc", 257: b"ab", 258: b"abc"}
    assert BPETokenizer(vocab, merges).encode("abc") == [97, 256]
    assert BPETokenizer(vocab, merges, whole_words=True).encode("abc") == [258]


def test_a_special_token_in_plain_text_is_not_taken_for_a_whole_word():
    tokenizer = BPETokenizer({**BYTES, 300: b"END"}, [], {"END": 300}, whole_words=True)
    assert tokenizer.encode("END", disallowed_special=()) == list(b"END")
    assert tokenizer.encode("END", allowed_special="all") == [300]


def test_a_pattern_of_ones_own():
    tokenizer = train_bpe("low lower lowest low", 270, pattern=r"\w+|\s")
    assert tokenizer.decode(tokenizer.encode("lowest low")) == "lowest low"
    with pytest.raises(ValueError, match=r"leaves out '!!'"):
        tokenizer.encode("low!! low")


def test_repr_is_short(tokenizer):
    many = BPETokenizer(BYTES, [], [f"<{i}>" for i in range(1000)])
    assert len(repr(tokenizer)) < 120
    assert len(repr(many)) < 120


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("a\ud800b", r"character 1 .*U\+D800"), (b"bytes", "bytes"), (None, "NoneType"), (["a"], "list")],
)
def test_what_is_no_text_is_refused(tokenizer, text, quoted):
    with pytest.raises(ValueError, match=quoted):
        tokenizer.encode(text)


def test_a_str_is_no_batch(tokenizer):
    with pytest.raises(ValueError, match="abc"):
        tokenizer.encode_batch("abc")


@pytest.mark.parametrize(
    ("ids", "quoted"),
    [
        ([0, 999_999], "999999"),
        ([-1], "-1"),
        (["a"], "integers"),
        ([1.0], "integers"),
        (3, "integers"),
        ("ab", "integers"),
    ],
)
def test_ids_outside_the_vocabulary_are_quoted(tokenizer, ids, quoted):
    with pytest.raises(ValueError, match=quoted):
        tokenizer.decode(ids)
