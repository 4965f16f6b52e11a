"""Reading .model files: every field that is used, and files that are none."""

import io

import pytest
import sentencepiece

from llmcourse.pretraining import language_names
from llmcourse.tokenization.sentencepiece_model import read_sentencepiece


def train(path, **settings) -> sentencepiece.SentencePieceProcessor:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(language_names("en")), model_writer=model, vocab_size=500, minloglevel=2, **settings
    )
    path.write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def test_pieces_scores_and_kinds(tmp_path) -> None:
    theirs = train(tmp_path / "m.model", byte_fallback=True, control_symbols=["<c>"], user_defined_symbols=["<u>"])
    pieces, normalizer = read_sentencepiece(tmp_path / "m.model")
    assert len(pieces) == theirs.vocab_size()
    kinds = {
        "unknown": theirs.is_unknown,
        "control": theirs.is_control,
        "unused": theirs.is_unused,
        "byte": theirs.is_byte,
    }
    for number, piece in enumerate(pieces):
        assert piece.text == theirs.id_to_piece(number)
        assert piece.score == theirs.get_score(number)
        expected = [kind for kind, is_kind in kinds.items() if is_kind(number)]
        assert piece.kind == (expected[0] if expected else "user_defined" if piece.text == "<u>" else "normal")
    assert normalizer.charsmap


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("extra", [True, False])
def test_the_normaliser(tmp_path, prefix: bool, extra: bool) -> None:
    train(
        tmp_path / "m.model",
        add_dummy_prefix=prefix,
        remove_extra_whitespaces=extra,
        normalization_rule_name="identity",
    )
    _, normalizer = read_sentencepiece(tmp_path / "m.model")
    assert (normalizer.add_prefix_space, normalizer.remove_extra_spaces) == (prefix, extra)
    assert normalizer.charsmap == b""


@pytest.mark.parametrize("model_type", ["bpe", "char"])
def test_other_types_of_model_are_refused(tmp_path, model_type: str) -> None:
    settings = {"hard_vocab_limit": False} if model_type == "char" else {}
    train(tmp_path / "m.model", model_type=model_type, **settings)
    with pytest.raises(ValueError, match=f"model of type '{model_type}'"):
        read_sentencepiece(tmp_path / "m.model")


def test_whitespace_as_suffix_is_refused(tmp_path) -> None:
    train(tmp_path / "m.model", treat_whitespace_as_suffix=True)
    with pytest.raises(ValueError, match="whitespace as a suffix"):
        read_sentencepiece(tmp_path / "m.model")


def test_a_file_cut_off_anywhere_is_refused_by_name(tmp_path) -> None:
    train(tmp_path / "m.model")
    whole = (tmp_path / "m.model").read_bytes()
    for size in (1, 10, 1000, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.model").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"cut\.model"):
            read_sentencepiece(tmp_path / "cut.model")


@pytest.mark.parametrize("content", [b"", b"hello, world", bytes(range(256)), b"\x0a\x00"])
def test_other_files_are_refused_by_name(tmp_path, content: bytes) -> None:
    (tmp_path / "other.model").write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.model"):
        read_sentencepiece(tmp_path / "other.model")
