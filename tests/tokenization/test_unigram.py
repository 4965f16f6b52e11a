"""The unigram tokenizer against sentencepiece on the same models, and the laws of encode, decode and sample."""

import io
import json
import math
from collections import Counter

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import docstrings, human_rights, language_names
from llmcourse.tokenization.normalization import Normalizer
from llmcourse.tokenization.unigram import UnigramTokenizer
from llmcourse.tokenization.unigram_pieces import Piece
from llmcourse.tokenization.unigram_training import TrainingSettings

LOCALES = ("en", "de", "ru", "el", "tr", "ja", "hi", "ar", "zh", "th", "ko")
NAMES = [name for locale in LOCALES for name in language_names(locale)]
LINES = [line for line in docstrings("numpy", max_bytes=150_000).splitlines() if line]
STRANGE = ["", " ", "  two  spaces ", "\n\ttabs\n", "\u2603\u2603 x \U0001f600", "a\u0300 ﬁ ½", "x" * 300, "\x00\x7f"]
# SentencePiece keeps its scores, and adds them, in 32 bits: 24 bits of a sum of up to some hundred nats.
TOLERANCE = 1e-4


def train_sentencepiece(lines: list[str], vocab_size: int, **settings) -> bytes:
    model = io.BytesIO()
    defaults = {"character_coverage": 1.0, "normalization_rule_name": "identity", "minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=vocab_size, model_type="unigram",
        **(defaults | settings),
    )  # fmt: skip
    return model.getvalue()


MODELS = {
    "docstrings": lambda: train_sentencepiece(LINES, 1000, remove_extra_whitespaces=False),
    "names": lambda: train_sentencepiece(NAMES, 3000),
    "rare characters to <unk>": lambda: train_sentencepiece(NAMES, 1500, character_coverage=0.98),
    "rare characters to bytes": lambda: train_sentencepiece(
        NAMES, 1500, character_coverage=0.98, byte_fallback=True, remove_extra_whitespaces=False
    ),
    "spaces inside pieces": lambda: train_sentencepiece(LINES, 1000, split_by_whitespace=False),
    "no space before": lambda: train_sentencepiece(LINES, 1000, add_dummy_prefix=False),
    "default normalisation": lambda: train_sentencepiece(NAMES, 2500, normalization_rule_name="nmt_nfkc"),
    "user-defined and control": lambda: train_sentencepiece(
        LINES, 1000, user_defined_symbols=["ndarray", "<sep>"], control_symbols=["<mask>"]
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def pair(request, tmp_path_factory) -> tuple[UnigramTokenizer, sentencepiece.SentencePieceProcessor]:
    path = tmp_path_factory.mktemp("models") / "m.model"
    path.write_bytes(MODELS[request.param]())
    return UnigramTokenizer.from_sentencepiece(path), sentencepiece.SentencePieceProcessor(model_file=str(path))


@pytest.fixture(scope="module")
def trained() -> UnigramTokenizer:
    settings = TrainingSettings(character_coverage=0.99)
    return UnigramTokenizer.train(NAMES, 2000, byte_fallback=True, settings=settings)


def texts_for(theirs: sentencepiece.SentencePieceProcessor) -> list[str]:
    return [*LINES[:1500], *NAMES[::5], *human_rights().values(), *STRANGE]


def test_the_best_segmentation_is_sentencepieces_or_ties_with_it(pair) -> None:
    ours, theirs = pair
    texts = texts_for(theirs)
    ties = 0
    for text in texts:
        found, expected = ours.encode(text), theirs.encode(text)
        if found != expected:
            ties += 1
            assert ours.decode(found) == ours.decode(expected)
            assert ours.score(found) == pytest.approx(ours.score(expected), abs=TOLERANCE)
    assert ties < 0.005 * len(texts)


def score_of(theirs: sentencepiece.SentencePieceProcessor, ids: list[int]) -> float:
    """The score of a segmentation from sentencepiece's own numbers; a character in bytes costs the unknown penalty."""
    spelled = [theirs.id_to_piece(number) for number in ids if theirs.is_byte(number)]
    first_bytes = sum(not 0x80 <= int(piece[3:5], 16) < 0xC0 for piece in spelled)
    penalty = min(map(theirs.get_score, range(theirs.vocab_size()))) - 10 if spelled else 0.0
    user_defined = sum(theirs.id_to_piece(n) in ("ndarray", "<sep>") and theirs.get_score(n) == 0 for n in ids)
    return sum(map(theirs.get_score, ids)) + first_bytes * penalty - 0.1 * user_defined


def test_the_best_scores_are_sentencepieces(pair) -> None:
    ours, theirs = pair
    compared = 0
    for text in [text for text in texts_for(theirs)[::9] if text.strip() and len(text) < 200]:
        found, expected = ours.nbest(text, 3), theirs.nbest_encode(text, nbest_size=3)
        if theirs.unk_id() in expected[0]:  # their run of unknown characters does not say how many it stands for
            continue
        compared += 1
        assert [score for _, score in found] == pytest.approx(
            [score_of(theirs, ids) for ids in expected], abs=TOLERANCE
        )
        assert ours.score(ours.encode(text)) == pytest.approx(score_of(theirs, theirs.encode(text)), abs=TOLERANCE)
    assert compared > 200


def test_decoding_is_sentencepieces(pair) -> None:
    ours, theirs = pair
    for text in texts_for(theirs):
        ids = theirs.encode(text)
        assert ours.decode(ids) == theirs.decode(ids)


def test_vocabulary_and_ids_are_sentencepieces(pair) -> None:
    ours, theirs = pair
    assert ours.vocab == {number: theirs.id_to_piece(number) for number in range(theirs.vocab_size())}
    assert ours.unknown_id == theirs.unk_id()


@given(st.text())
def test_byte_fallback_brings_every_string_back(trained: UnigramTokenizer, text: str) -> None:
    assert trained.decode(trained.encode(text)) == text


@given(st.text(st.sampled_from("ab ▁é\u2603\U0001f600\n")), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.2, 1.0]))
def test_every_sample_decodes_to_the_text(trained: UnigramTokenizer, text: str, seed: int, alpha: float) -> None:
    ids = trained.sample(text, alpha=alpha, seed=seed)
    assert trained.decode(ids) == text
    assert trained.score(ids) <= trained.score(trained.encode(text)) + 1e-9


@given(st.text(max_size=30))
def test_encoding_the_decoded_text_gives_the_same_ids(trained: UnigramTokenizer, text: str) -> None:
    ids = trained.encode(text)
    assert trained.encode(trained.decode(ids)) == ids


@given(st.text(st.sampled_from("abcdeinrst ▁\u2603"), max_size=14))
def test_scores_agree_with_each_other(trained: UnigramTokenizer, text: str) -> None:
    (ids, score), *_ = trained.nbest(text, 1)
    best = trained.score(trained.encode(text))
    assert score == pytest.approx(best)
    assert trained.score(ids) == pytest.approx(best)
    assert best <= trained.log_likelihood(text) + 1e-9


def test_samples_follow_the_posterior() -> None:
    scores = {"▁": -2.0, "a": -1.5, "b": -1.2, "ab": -2.0, "ba": -2.4, "▁a": -3.0, "aba": -3.1}
    tokenizer, text, draws = UnigramTokenizer.from_scores(scores), "abab ab", 4000
    rng, every, total = np.random.default_rng(1), tokenizer.nbest(text, 10_000), tokenizer.log_likelihood(text)
    assert len(every) > 20
    assert math.log(sum(math.exp(score) for _, score in every)) == pytest.approx(total)
    seen = Counter(tuple(tokenizer.sample(text, seed=rng)) for _ in range(draws))
    distance = sum(abs(seen[tuple(ids)] / draws - math.exp(score - total)) for ids, score in every) / 2
    assert distance < 0.05


def test_the_same_seed_draws_the_same(trained: UnigramTokenizer) -> None:
    text = " ".join(NAMES[:50])
    assert trained.sample(text, alpha=0.2, seed=3) == trained.sample(text, alpha=0.2, seed=3)
    assert trained.sample(text, alpha=0.2, seed=3) != trained.sample(text, alpha=0.2, seed=4)
    assert trained.sample(text, alpha=1e6, seed=3) == trained.encode(text)


def test_a_remembered_word_is_not_changed_by_the_caller(trained: UnigramTokenizer) -> None:
    first = trained.encode("Deutsch")
    first.append(0)
    assert trained.encode("Deutsch") == first[:-1]


def test_without_bytes_a_run_of_unknown_characters_is_one_unk() -> None:
    tokenizer = UnigramTokenizer.from_scores({"▁": -2.0, "a": -1.0})
    assert tokenizer.encode_pieces("a\u2603\u2603a") == ["▁", "a", "<unk>", "a"]
    assert tokenizer.decode(tokenizer.encode("a\u2603\u2603a")) == "a \u2047 a"
    assert tokenizer.unknown_score == -12.0


def test_byte_fallback_spells_utf8_and_broken_bytes_are_replaced() -> None:
    tokenizer = UnigramTokenizer.from_scores({"▁": -2.0, "a": -1.0}, byte_fallback=True)
    assert tokenizer.encode_pieces("aé") == ["▁", "a", "<0xC3>", "<0xA9>"]
    assert tokenizer.decode(tokenizer.encode("aé")[:-1]) == "a\ufffd"
    assert tokenizer.score(tokenizer.encode("aé")) == pytest.approx(-2.0 - 1.0 - 12.0)
    assert tokenizer.encode_pieces("▁")[1:] == ["<0xE2>", "<0x96>", "<0x81>"]


def test_control_pieces_come_from_no_text_and_go_to_none(trained: UnigramTokenizer) -> None:
    assert [piece.text for piece in trained.pieces[:3]] == ["<unk>", "<s>", "</s>"]
    assert not {0, 1, 2} & set(trained.encode("<s> <unk> </s>"))
    assert trained.decode([1, *trained.encode("Haus"), 2]) == "Haus"


def test_meta_pieces_in_the_text_are_not_learned() -> None:
    settings = TrainingSettings(split_by_script=False)
    tokenizer = UnigramTokenizer.train("<s>abc <s>abo <s>abe <unk> <unk> " * 3, 17, settings=settings)
    assert tokenizer.encode_pieces("<s>")[:2] != ["▁", "<s>"]
    assert tokenizer.decode(tokenizer.encode("<s>abc <unk>")) == "<s>abc <unk>"


def test_training_from_an_iterator_equals_training_from_a_list() -> None:
    assert UnigramTokenizer.train(iter(NAMES[:900]), 500).pieces == UnigramTokenizer.train(NAMES[:900], 500).pieces


@pytest.mark.parametrize("form", ["identity", "nfkc"])
def test_saving_and_loading(trained: UnigramTokenizer, form: str, tmp_path) -> None:
    tokenizer = UnigramTokenizer(trained.pieces, Normalizer(form=form, remove_extra_spaces=True))
    tokenizer.save(tmp_path / "t.json")
    loaded = UnigramTokenizer.load(tmp_path / "t.json")
    assert loaded.pieces == tokenizer.pieces
    assert loaded.normalizer == tokenizer.normalizer
    assert loaded.encode(" ﬁve  Häuser \u2603") == tokenizer.encode(" ﬁve  Häuser \u2603")


def test_saving_and_loading_a_sentencepiece_model(pair, tmp_path) -> None:
    ours, _ = pair
    ours.save(tmp_path / "t.json")
    loaded = UnigramTokenizer.load(tmp_path / "t.json")
    assert [loaded.encode(text) for text in STRANGE] == [ours.encode(text) for text in STRANGE]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(trained: UnigramTokenizer, tmp_path, monkeypatch) -> None:
    trained.save(tmp_path / "t.json")
    before = (tmp_path / "t.json").read_bytes()

    def break_off(content, file, **_) -> None:
        file.write('{"type": "uni')
        raise OSError("disk full")

    monkeypatch.setattr(json, "dump", break_off)
    with pytest.raises(OSError, match="disk full"):
        trained.save(tmp_path / "t.json")
    assert (tmp_path / "t.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"type": "bpe"}', '{"type": "unigram", "normalizer": {}}'])
def test_a_file_of_something_else_is_refused_by_name(content: str, tmp_path) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json' is no file that UnigramTokenizer"):
        UnigramTokenizer.load(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("texts", "vocab_size", "message"),
    [
        ("", 100, "corpus is empty"),
        ([], 100, "corpus is empty"),
        ("abc", 3, "vocab_size=3, of which 3 .* 0 pieces cannot hold the 4"),
        ("abcdef", 6, "vocab_size=6, .*cannot hold the 7 distinct characters"),
        ("abab abab", 50, "vocab_size=50, .* more than the corpus supports"),
    ],
)
def test_bad_training_input_is_quoted(texts, vocab_size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UnigramTokenizer.train(texts, vocab_size)


@pytest.mark.parametrize("number", [-1, 2000, 10**9])
def test_ids_outside_the_vocabulary_are_quoted(trained: UnigramTokenizer, number: int) -> None:
    for use in (trained.decode, trained.score, trained.to_pieces):
        with pytest.raises(ValueError, match=f"id {number} is outside the vocabulary of 2000"):
            use([5, number])


@pytest.mark.parametrize("alpha", [-0.1, math.nan, math.inf])
def test_a_bad_alpha_is_quoted(trained: UnigramTokenizer, alpha: float) -> None:
    with pytest.raises(ValueError, match=f"alpha={alpha}"):
        trained.sample("a", alpha=alpha)


def test_other_bad_input_is_quoted(trained: UnigramTokenizer) -> None:
    with pytest.raises(ValueError, match="n=0"):
        trained.nbest("a", 0)
    with pytest.raises(ValueError, match=r"lone surrogate, '\\ud83d' at character 2"):
        trained.encode("ab\ud83d")
    with pytest.raises(ValueError, match=r"lone surrogate, '\\ud83d' at character 0"):
        UnigramTokenizer.train(["abc", "\ud83d"], 20)


def test_two_unknown_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="2 pieces are of kind 'unknown'"):
        UnigramTokenizer([Piece("<unk>", 0.0, "unknown"), Piece("?", 0.0, "unknown")])
