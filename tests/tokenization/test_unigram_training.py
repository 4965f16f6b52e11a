"""Training: EM climbs, pruning keeps what it must, and the result is as likely as SentencePiece's."""

import io
import math

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import docstrings, language_names
from llmcourse.tokenization.corpus_lattice import CorpusLattice
from llmcourse.tokenization.unigram import UnigramTokenizer
from llmcourse.tokenization.unigram_seed import required_characters, seed_pieces
from llmcourse.tokenization.unigram_training import TrainingSettings, digamma, maximize, prune, train_pieces

WORDS = st.dictionaries(st.text("abcd", min_size=1, max_size=10), st.integers(1, 30), min_size=1, max_size=12)


def em(words: dict[str, int]):
    texts = sorted(words, key=len, reverse=True)
    seed = seed_pieces(words, required_characters(words, 1.0))
    scores = np.log(np.array(list(seed.values())) / sum(seed.values()))
    frequencies = np.array([float(words[text]) for text in texts])
    return list(seed), CorpusLattice.build(texts, list(seed)), scores, frequencies


@given(WORDS)
def test_em_never_lowers_the_likelihood(words: dict[str, int]) -> None:
    _, lattice, scores, frequencies = em(words)
    before = -math.inf
    for _ in range(8):
        counts, log_likelihood = lattice.expected_counts(scores, frequencies)
        assert log_likelihood >= before - 1e-9 * abs(log_likelihood)
        before, scores = log_likelihood, maximize(np.maximum(counts, 1e-300), sparse=False)


def test_em_on_a_real_corpus_climbs_in_every_step() -> None:
    words = {"▁" + word: 1 for name in language_names("de") for word in name.split()}
    _, lattice, scores, frequencies = em(words)
    climbed = []
    for _ in range(6):
        counts, log_likelihood = lattice.expected_counts(scores, frequencies)
        climbed.append(log_likelihood)
        scores = maximize(np.maximum(counts, 1e-300), sparse=False)
    assert np.diff(climbed).min() > 0


def test_each_expected_count_accounts_for_the_text() -> None:
    words = {"abab": 3, "abc": 2, "ca": 5}
    pieces, lattice, scores, frequencies = em(words)
    counts, _ = lattice.expected_counts(scores, frequencies)
    lengths = np.array([len(piece) for piece in pieces])
    assert counts @ lengths == pytest.approx(sum(len(word) * n for word, n in words.items()))


def test_digamma_makes_rare_pieces_rarer() -> None:
    counts = np.array([0.5, 1.0, 10.0, 1000.0])
    ratio = np.exp(maximize(counts) - maximize(counts, sparse=False))
    assert (np.diff(ratio) > 0).all()
    assert 0.999 < ratio[-1] <= 1.001
    assert ratio[0] < 0.3


@pytest.mark.parametrize(("x", "value"), [(0.5, -1.9635100260214235), (1.0, -0.5772156649015329), (100.0, 4.60016185)])
def test_digamma(x: float, value: float) -> None:
    assert digamma(np.array([x]))[0] == pytest.approx(value, abs=1e-8)


@given(st.floats(1e-3, 1e6))
def test_digamma_obeys_its_recurrence(x: float) -> None:
    low, high = digamma(np.array([x, x + 1]))
    assert high - low == pytest.approx(1 / x, rel=1e-9, abs=1e-10)


def test_pruning_keeps_characters_and_the_piece_that_matters_most() -> None:
    pieces, words = ["a", "b", "c", "ab", "bc", "ac"], {"abc": 1, "ab": 50, "bc": 2}
    texts = sorted(words, key=len, reverse=True)
    lattice, frequencies = CorpusLattice.build(texts, pieces), np.array([float(words[text]) for text in texts])
    scores = np.log(np.full(6, 1 / 6))
    kept = prune(lattice, pieces, scores, frequencies, least=4, most=4)
    assert [piece for piece, stays in zip(pieces, kept, strict=True) if stays] == ["a", "b", "c", "ab"]
    idle_too = prune(lattice, pieces, scores, frequencies, least=4, most=6)
    assert [piece for piece, stays in zip(pieces, idle_too, strict=True) if stays] == ["a", "b", "c", "ab", "bc"]


@given(WORDS, st.integers(0, 12))
def test_the_size_is_met_or_refused_and_characters_stay(words: dict[str, int], more: int) -> None:
    characters = set("".join(words))
    size = len(characters) + more
    try:
        pieces = train_pieces(words, size, TrainingSettings(character_coverage=1.0))
    except ValueError as error:
        assert f"{size} pieces are more than the corpus supports" in str(error)
        return
    assert len(pieces) == size
    assert characters <= set(pieces)
    assert list(pieces.values()) == sorted(pieces.values(), reverse=True)


def test_training_is_deterministic_and_does_not_depend_on_order() -> None:
    words = {f"▁{word}": 2 for name in language_names("fi") for word in name.split()}
    assert train_pieces(words, 300) == train_pieces(dict(reversed(words.items())), 300)


CORPORA = {
    "numpy": lambda: [line for line in docstrings("numpy", max_bytes=150_000).splitlines() if line.strip()],
    "names": lambda: [name for locale in ("en", "de", "ru", "el", "tr", "ja", "hi") for name in language_names(locale)],
}


@pytest.mark.parametrize(("corpus", "vocab_size"), [("numpy", 1000), ("names", 2000)])
@pytest.mark.parametrize("split_by_script", [True, False])
def test_the_corpus_is_as_likely_as_under_sentencepieces_vocabulary(
    corpus: str, vocab_size: int, split_by_script: bool, tmp_path
) -> None:
    """Same size, same settings, each under its own scores; our seed makes ours 2 to 8% better (see seed_pieces)."""
    lines, model = CORPORA[corpus](), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=vocab_size,
        model_type="unigram",
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_by_unicode_script=split_by_script,
        minloglevel=2,
    )
    (tmp_path / "m.model").write_bytes(model.getvalue())
    theirs = UnigramTokenizer.from_sentencepiece(tmp_path / "m.model")
    settings = TrainingSettings(character_coverage=1.0, split_by_script=split_by_script)
    ours = UnigramTokenizer.train(lines, vocab_size, settings=settings)
    assert ours.vocab_size == theirs.vocab_size
    best = [sum(tokenizer.score(tokenizer.encode(line)) for line in lines) for tokenizer in (ours, theirs)]
    tokens = [sum(len(tokenizer.encode(line)) for line in lines) for tokenizer in (ours, theirs)]
    assert best[0] > best[1]
    assert best[0] < 0.85 * best[1]  # far better would mean that something else is counted
    assert tokens[0] < 1.01 * tokens[1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"character_coverage": 0.0}, "character_coverage=0.0"),
        ({"character_coverage": 1.5}, "character_coverage=1.5"),
        ({"shrink": 1.0}, "shrink=1.0"),
        ({"em_steps": 0}, "em_steps=0"),
        ({"max_piece_length": 0}, "max_piece_length=0"),
        ({"seed_size": -1}, "seed_size=-1"),
    ],
)
def test_settings_outside_their_range_are_quoted(setting: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**setting)


def test_fewer_pieces_than_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="2 pieces cannot hold the 3 distinct characters"):
        train_pieces({"abc": 1}, 2)
