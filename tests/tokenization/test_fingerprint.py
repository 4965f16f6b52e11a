import pytest

from llmcourse.tokenization import BPETokenizer, UnigramTokenizer, fingerprint, train_bpe

TEXT = "low lower lowest new newer newest wide wider widest " * 20


def test_it_stays_the_same_when_saved_and_loaded(tmp_path):
    bpe, unigram = train_bpe(TEXT, 270, special_tokens=["<end>"]), UnigramTokenizer.train(TEXT, 20)
    for tokenizer, kind in ((bpe, BPETokenizer), (unigram, UnigramTokenizer)):
        tokenizer.save(tmp_path / "tokenizer.json")
        assert fingerprint(kind.load(tmp_path / "tokenizer.json")) == fingerprint(tokenizer)


def test_whatever_changes_ids_changes_it():
    bpe = train_bpe(TEXT, 270)
    others = [
        train_bpe(TEXT, 269),
        train_bpe(TEXT, 270, special_tokens=["<end>"]),
        train_bpe(TEXT, 270, pattern="cl100k"),
        BPETokenizer(bpe.vocab, bpe.merges, whole_words=True),
        BPETokenizer(bpe.vocab, bpe.merges[::-1]),
        UnigramTokenizer.train(TEXT, 20),
    ]
    assert len({fingerprint(tokenizer) for tokenizer in [bpe, *others]}) == 7


def test_what_is_no_tokenizer_is_refused():
    with pytest.raises(ValueError, match="tokenizer is a str"):
        fingerprint("gpt2")
