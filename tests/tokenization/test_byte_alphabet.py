import pytest
from tokenizers import pre_tokenizers

from llmcourse.tokenization.byte_alphabet import BYTE_ORDER, CHARACTER_OF, from_printable, to_printable


def test_the_alphabet_is_hugging_faces_in_its_order():
    assert [CHARACTER_OF[byte] for byte in BYTE_ORDER] == sorted(pre_tokenizers.ByteLevel.alphabet())


def test_every_byte_is_written_as_hugging_face_writes_it():
    text = "".join(map(chr, range(0x20, 0x2000)))
    written = "".join(piece for piece, _ in pre_tokenizers.ByteLevel(False, use_regex=False).pre_tokenize_str(text))
    assert to_printable(text.encode()) == written
    assert from_printable(written) == text.encode()
    assert from_printable(to_printable(bytes(range(256)))) == bytes(range(256))


def test_a_character_that_stands_for_no_byte_is_quoted():
    with pytest.raises(ValueError, match=r"'a b' holds ' '"):
        from_printable("a b")
