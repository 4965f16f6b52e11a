import pytest
import regex

from llmcourse.bench.bpe_contenders import Encoding, Task, Training, corpus, pieces
from llmcourse.pretraining import docstrings
from llmcourse.tokenization.patterns import PATTERNS

pytest.importorskip("tokenizers")
pytest.importorskip("tiktoken")


def task(what: str, threads: int) -> Task:
    return Task(what=what, corpus="prose", size=150_000, vocab_size=500, threads=threads, repeats=1)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("what", ["train", "encode"])
def test_both_contenders_give_the_same(what: str, threads: int) -> None:
    text = corpus(task(what, threads))
    assert 140_000 < len(text.encode()) < 160_000
    setting = (Training if what == "train" else Encoding)(task(what, threads), text)
    assert setting.equal()


def test_contenders_that_differ_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = corpus(task("encode", 1))
    training = Training(task("train", 1), text)
    monkeypatch.setattr(training, "ours", lambda: [(b"a", b"b")])
    assert not training.equal()
    encoding = Encoding(task("encode", 1), text)
    monkeypatch.setattr(encoding, "ours", lambda: [1, 2])
    assert not encoding.equal()


@pytest.mark.parametrize("pattern", PATTERNS.values())
def test_pieces_have_the_words_of_the_whole(pattern: str) -> None:
    text = docstrings("numpy", max_bytes=350_000)
    parts = pieces(text)
    assert len(parts) > 2
    assert [word for part in parts for word in regex.findall(pattern, part)] == regex.findall(pattern, text)


def test_code_is_pythons_own() -> None:
    assert "def " in corpus(Task(what="train", corpus="code", size=50_000, vocab_size=300, threads=1, repeats=1))
