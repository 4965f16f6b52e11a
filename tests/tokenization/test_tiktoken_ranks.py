"""tiktoken's files: read there what was written here, and the other way round."""

import base64

import hypothesis.strategies as st
import pytest
import tiktoken
from hypothesis import given, settings
from tiktoken.load import load_tiktoken_bpe

from llmcourse.pretraining import docstrings, human_rights
from llmcourse.tokenization import PATTERNS, BPETokenizer, train_bpe
from llmcourse.tokenization.tiktoken_ranks import all_splits, merges_from_ranks, read_ranks

BYTES = {bytes([byte]): byte for byte in range(256)}


@pytest.fixture(scope="module")
def text():
    return docstrings("numpy", max_bytes=60_000) + "\n".join(human_rights().values())


@pytest.mark.parametrize("tie_break", ["bytes", "ids", "first"])
def test_what_is_written_is_read_by_both(tmp_path, text, tie_break):
    tokenizer = train_bpe(text, 700, special_tokens=["<|end|>"], tie_break=tie_break, pattern="cl100k")
    path = tmp_path / "a.tiktoken"
    tokenizer.to_tiktoken(path)
    ranks = load_tiktoken_bpe(str(path))
    special = tokenizer.special_tokens
    theirs = tiktoken.Encoding("a", pat_str=PATTERNS["cl100k"], mergeable_ranks=ranks, special_tokens=special)
    again = BPETokenizer.from_tiktoken(path, special, "cl100k")
    assert (again.merges, again.vocab, again.special_tokens) == (tokenizer.merges, tokenizer.vocab, special)
    mixed = text[:5000] + "<|end|>" + text[5000:9000]
    assert theirs.encode(mixed, allowed_special="all") == tokenizer.encode(mixed, allowed_special="all")
    assert again.encode(text) == tokenizer.encode(text)


def write_as_tiktoken(path, ranks):
    """Do what tiktoken.load.dump_tiktoken_bpe does, which needs one more package for it."""
    lines = (base64.b64encode(token) + b" " + str(rank).encode() + b"\n" for token, rank in ranks.items())
    path.write_bytes(b"".join(lines))
    assert load_tiktoken_bpe(str(path)) == ranks


def test_a_file_as_tiktoken_writes_it(tmp_path):
    write_as_tiktoken(tmp_path / "a.tiktoken", {**BYTES, b"ow": 256, b"low": 257})
    tokenizer = BPETokenizer.from_tiktoken(tmp_path / "a.tiktoken", {"<|end|>": 1000})
    assert tokenizer.merges == [(b"o", b"w"), (b"l", b"ow")]
    assert tokenizer.encode("low<|end|>", allowed_special="all") == [257, 1000]
    assert tokenizer.whole_words


@given(
    tokens=st.lists(st.text(alphabet="ab", min_size=2, max_size=5), unique=True, max_size=12),
    words=st.lists(st.text(alphabet="ab", max_size=12), max_size=4),
)
@settings(deadline=None, max_examples=150)
def test_vocabularies_put_together_by_hand_encode_as_tiktoken(tmp_path_factory, tokens, words):
    ranks = BYTES | {token.encode(): 256 + i for i, token in enumerate(tokens)}
    path = tmp_path_factory.mktemp("ranks") / "a.tiktoken"
    write_as_tiktoken(path, ranks)
    ours = BPETokenizer.from_tiktoken(path)
    theirs = tiktoken.Encoding("a", pat_str=PATTERNS["gpt2"], mergeable_ranks=ranks, special_tokens={})
    text = " ".join(words)
    assert ours.encode(text) == theirs.encode(text)
    ours.to_tiktoken(path)
    assert load_tiktoken_bpe(str(path)) == ranks


def test_a_token_that_no_merge_makes():
    ranks = {**BYTES, b"low": 256, b"lowlow": 257, b"ow": 258}
    assert merges_from_ranks(ranks) is None
    assert all_splits(ranks) == [(b"l", b"ow"), (b"low", b"low"), (b"o", b"w")]


def test_merges_that_ranks_cannot_say_are_not_written(tmp_path):
    vocab = {i: token for token, i in BYTES.items()} | {256: b"ab", 257: b"bc"}
    tokenizer = BPETokenizer(vocab, [(b"b", b"c"), (b"a", b"b")])
    with pytest.raises(ValueError, match="tiktoken"):
        tokenizer.to_tiktoken(tmp_path / "a.tiktoken")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "quoted"),
    [("YQ==", "line 2"), ("Y!== 7", "line 2"), ("YQ== x", "line 2"), ("YQ== 1 2", "line 2"), ("AA== 7", r"b'\\x00'"),
     ("YWE= 0", "rank 0")],
)  # fmt: skip
def test_a_damaged_line_is_named(tmp_path, line, quoted):
    path = tmp_path / "a.tiktoken"
    path.write_text(f"AA== 0\n{line}\n")
    with pytest.raises(ValueError, match=quoted):
        read_ranks(path)


def test_a_file_without_all_bytes_is_refused(tmp_path):
    path = tmp_path / "a.tiktoken"
    path.write_bytes(b"".join(base64.b64encode(bytes([byte])) + b" %d\n" % byte for byte in range(255)))
    with pytest.raises(ValueError, match=r"b'\\xff'"):
        BPETokenizer.from_tiktoken(path)
