"""Normalisation against sentencepiece's own."""

import io
import unicodedata

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import language_names
from llmcourse.tokenization.normalization import Normalizer
from llmcourse.tokenization.sentencepiece_model import read_sentencepiece


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(language_names("en")), model_writer=model, vocab_size=200, minloglevel=2
    )
    path = tmp_path_factory.mktemp("models") / "m.model"
    path.write_bytes(model.getvalue())
    return read_sentencepiece(path)[1], sentencepiece.SentencePieceProcessor(model_file=str(path))


def test_every_character_is_normalised_as_sentencepiece_does(compiled) -> None:
    ours, theirs = compiled
    for code in range(0x1, 0x30000):
        if not 0xD800 <= code < 0xE000:
            text = f"a{chr(code)}b"
            assert ours(text) == theirs.normalize(text), hex(code)


@given(st.text())
def test_every_text_is_normalised_as_sentencepiece_does(compiled, text: str) -> None:
    ours, theirs = compiled
    assert ours(text) == theirs.normalize(text)


@given(st.text())
def test_identity_changes_nothing_but_spaces(text: str) -> None:
    assert Normalizer(add_prefix_space=False)(text) == text.replace(" ", "▁")


@given(st.text())
def test_nfkc(text: str) -> None:
    expected = unicodedata.normalize("NFKC", text).replace(" ", "▁")
    assert Normalizer(form="nfkc", add_prefix_space=False)(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("", ""), (" ", ""), ("  a   b ", "▁a▁b"), ("\na", "▁\na")])
def test_extra_spaces(text: str, expected: str) -> None:
    assert Normalizer(remove_extra_spaces=True)(text) == expected


def test_an_unknown_form_is_quoted() -> None:
    with pytest.raises(ValueError, match="'nfd' is not known"):
        Normalizer(form="nfd")


@pytest.mark.parametrize("charsmap", [b"\x01", b"\xff\x00\x00\x00abc"])
def test_a_charsmap_cut_off_is_refused(charsmap: bytes) -> None:
    with pytest.raises(ValueError, match=f"charsmap of {len(charsmap)} bytes is cut off"):
        Normalizer(charsmap=charsmap)
