"""Hugging Face's tokenizer.json: read there what was written here, and the other way round."""

import json

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from llmcourse.pretraining import docstrings, human_rights, language_names, source_code
from llmcourse.tokenization import PATTERNS, BPETokenizer, train_bpe
from llmcourse.tokenization.patterns import CL100K_PATTERN

END = "<|endoftext|>"
LLAMA3_PATTERN = "|".join(
    [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ]
)
HARD = "Don'T ſ'ſ 12345 ½²\r\n \n  a\t\tb   \x85\u3000c\u00a0 😀👩‍👧 e\u0301 ไม่ CamelCase!!\n\n//x   "


@pytest.fixture(scope="module")
def text():
    names = ["\n".join(language_names(locale)[:60]) for locale in ("am", "bo", "hi", "ka", "km", "my", "ta", "th")]
    return "\n".join([docstrings("numpy", max_bytes=50_000), *human_rights().values(), *names, HARD])


def trained_by_huggingface(text, pre_tokenizer=None, **options) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


@pytest.mark.parametrize("pattern", [*PATTERNS, LLAMA3_PATTERN], ids=[*PATTERNS, "own"])
@pytest.mark.parametrize("tie_break", ["bytes", "ids"])
def test_what_is_written_is_read_by_both(tmp_path, text, pattern, tie_break):
    tokenizer = train_bpe(text, 700, special_tokens=[END, "<a b>"], pattern=pattern, tie_break=tie_break)
    tokenizer.to_huggingface(tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    again = BPETokenizer.from_huggingface(tmp_path / "tokenizer.json")
    code = source_code("hypothesis", max_bytes=50_000)
    for sample in (text, code, f"one{END}two<a b> {END}", HARD):
        ids = tokenizer.encode(sample, allowed_special="all")
        assert theirs.encode(sample).ids == ids
        assert theirs.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids) == sample
        assert again.encode(sample, allowed_special="all") == ids
    for name in ("vocab", "merges", "special_tokens", "pattern"):
        assert getattr(again, name) == getattr(tokenizer, name)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_huggingface_trained_and_saved_is_read(tmp_path, text, pattern):
    expression = Regex(PATTERNS[pattern].replace("{1,3}+", "{1,3}"))
    steps = [pre_tokenizers.Split(expression, "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    theirs = trained_by_huggingface(text, None if pattern == "gpt2" else pre_tokenizers.Sequence(steps))
    theirs.add_special_tokens(["<|user|>"])
    theirs.add_tokens([AddedToken("plain", normalized=False)])
    theirs.save(str(tmp_path / "tokenizer.json"))
    ours = BPETokenizer.from_huggingface(tmp_path / "tokenizer.json")
    for sample in (text, HARD, f"a{END}<|user|>plain"):
        assert ours.encode(sample, allowed_special="all") == theirs.encode(sample).ids
    assert ours.pattern == PATTERNS[pattern]
    assert ours.special_tokens == {END: 0, "<|user|>": 700, "plain": 701}


def test_merges_written_as_strings_and_ignore_merges_are_read(tmp_path, text):
    theirs = trained_by_huggingface(text, ignore_merges=True)
    content = json.loads(theirs.to_str())
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"][:200]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    ours = BPETokenizer.from_huggingface(tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert ours.whole_words
    assert ours.encode(text) == theirs.encode(text).ids
    ours.to_huggingface(tmp_path / "again.json")
    assert Tokenizer.from_file(str(tmp_path / "again.json")).encode(text).ids == ours.encode(text)


def test_explicit_ids_of_special_tokens_survive(tmp_path):
    vocab = {byte: bytes([byte]) for byte in range(256)}
    BPETokenizer(vocab, [], {END: 1000, "<|x|>": 500}).to_huggingface(tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert theirs.encode(f"a{END}<|x|>").ids == [97, 1000, 500]
    assert BPETokenizer.from_huggingface(tmp_path / "tokenizer.json").special_tokens == {END: 1000, "<|x|>": 500}


def change_model(key, value):
    return lambda content: content["model"].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "quoted"),
    [
        (change_model("type", "WordPiece"), r"model\.type is 'WordPiece'"),
        (change_model("type", "Unigram"), "Unigram"),
        (change_model("byte_fallback", True), r"model\.byte_fallback"),
        (change_model("dropout", 0.1), r"model\.dropout is 0\.1"),
        (change_model("continuing_subword_prefix", "##"), "continuing_subword_prefix"),
        (change_model("end_of_word_suffix", "</w>"), "end_of_word_suffix"),
        (lambda content: content.__setitem__("normalizer", {"type": "NFC"}), "normalizer is 'NFC'"),
        (lambda content: content.__setitem__("pre_tokenizer", {"type": "Whitespace"}), "pre_tokenizer is 'Whitespace'"),
        (lambda content: content.__setitem__("pre_tokenizer", None), "pre_tokenizer is None"),
        (lambda content: content["pre_tokenizer"].__setitem__("add_prefix_space", True), "add_prefix_space"),
        (lambda content: content["pre_tokenizer"].__setitem__("use_regex", False), "use_regex"),
        (lambda content: content["added_tokens"][0].__setitem__("lstrip", True), "lstrip"),
        (lambda content: content["model"]["vocab"].__setitem__("two words", 9999), "two words"),
        (lambda content: content["model"]["vocab"].pop("a"), "b'a'"),
        (lambda content: content["model"]["merges"].append(["a", "☃"]), "☃"),
        (lambda content: content["model"]["merges"].append(["a", "!!?"]), r"b'!!\?'"),
        (lambda content: content["model"].pop("vocab"), "vocab"),
        (lambda content: content.pop("model"), "model"),
    ],
)
def test_another_kind_of_tokenizer_is_refused_by_the_name_of_the_key(tmp_path, change, quoted):
    content = json.loads(trained_by_huggingface("a few words").to_str())
    change(content)
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=quoted):
        BPETokenizer.from_huggingface(tmp_path / "tokenizer.json")


def test_word_piece_and_normalizers_as_huggingface_saves_them(tmp_path):
    path = tmp_path / "tokenizer.json"
    Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")).save(str(path))
    with pytest.raises(ValueError, match="WordPiece"):
        BPETokenizer.from_huggingface(path)
    tokenizer = trained_by_huggingface("a few words")
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.save(str(path))
    with pytest.raises(ValueError, match="NFC"):
        BPETokenizer.from_huggingface(path)


def test_what_oniguruma_reads_otherwise_is_not_written(tmp_path):
    vocab = {byte: bytes([byte]) for byte in range(256)}
    with pytest.raises(ValueError, match="Oniguruma"):
        BPETokenizer(vocab, [], pattern=r"\w{1,4}+|\W").to_huggingface(tmp_path / "a.json")
    with pytest.raises(ValueError, match="Ġa"):
        BPETokenizer({**vocab, 256: b" a"}, [(b" ", b"a")], ["Ġa"]).to_huggingface(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []
    BPETokenizer(vocab, [], pattern=CL100K_PATTERN).to_huggingface(tmp_path / "a.json")
    assert "{1,3}|" in (tmp_path / "a.json").read_text()
