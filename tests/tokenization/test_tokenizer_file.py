import json

import pytest

from llmcourse.tokenization import BPETokenizer, train_bpe

TEXT = "low lower lowest 中文 é\n" * 3


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "tokenizer.json"
    train_bpe(TEXT, 280, special_tokens=["<|end|>", "Ġlower"], pattern="o200k").save(path)
    return path


@pytest.mark.parametrize("options", [{}, {"tie_break": "ids"}, {"pattern": "cl100k"}, {"pattern": r"\w+|\W"}])
@pytest.mark.parametrize("special", [[], ["<|end|>", "a b\nc", "中"]])
def test_comes_back_as_it_was(tmp_path, options, special):
    tokenizer = train_bpe(TEXT, 280, special_tokens=special, **options)
    tokenizer.save(tmp_path / "a.json")
    again = BPETokenizer.load(str(tmp_path / "a.json"))
    for name in ("vocab", "merges", "special_tokens", "pattern", "whole_words"):
        assert getattr(again, name) == getattr(tokenizer, name)
    assert again.encode(TEXT, allowed_special="all") == tokenizer.encode(TEXT, allowed_special="all")
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_flags_come_back(tmp_path):
    vocab = {byte: bytes([byte]) for byte in range(256)} | {300: b"ab"}
    BPETokenizer(vocab, [], {"<s>": 900}, whole_words=True).save(tmp_path / "a.json")
    again = BPETokenizer.load(tmp_path / "a.json")
    assert (again.whole_words, again.special_tokens) == (True, {"<s>": 900})
    assert again.encode("ab") == [300]


@pytest.mark.parametrize(
    ("change", "quoted"),
    [
        ({"format": "other"}, "other"),
        ({"version": 2}, "version 2"),
        ({"merges": [[1]]}, "damaged"),
        ({"merges": [[0, 100_000]]}, "100000"),
        ({"merges": 5}, "damaged"),
        ({"vocab": {"a": 0}, "merges": []}, "byte"),
        ({"vocab": {"a b": 0}}, "' '"),
        ({"vocab": []}, "damaged"),
        ({"pattern": "("}, r"'\('"),
        ({"special_tokens": {"<s>": 97}}, "<s>"),
    ],
)
def test_a_damaged_file_is_refused(saved, change, quoted):
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    with pytest.raises(ValueError, match=quoted):
        BPETokenizer.load(saved)


@pytest.mark.parametrize("key", ["vocab", "merges", "special_tokens", "pattern", "whole_words"])
def test_a_missing_key_is_named(saved, key):
    content = json.loads(saved.read_text())
    del content[key]
    saved.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=key):
        BPETokenizer.load(saved)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(saved, content):
    saved.write_bytes(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        BPETokenizer.load(saved)


def test_special_tokens_that_look_like_ordinary_ones_are_kept_apart(saved):
    tokenizer = BPETokenizer.load(saved)
    assert tokenizer.vocab[tokenizer.special_tokens["Ġlower"]] == "Ġlower".encode()
    assert b" lower" in tokenizer.vocab.values()
