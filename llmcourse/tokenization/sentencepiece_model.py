"""Reading SentencePiece's ``.model`` files.

The file is one protobuf message, ``ModelProto``. The few fields that a unigram tokenizer needs are read by hand: the
wire format takes thirty lines, and the generated reader that the sentencepiece package carries needs protobuf's
runtime, which that package does not install.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from llmcourse.tokenization.normalization import Normalizer
from llmcourse.tokenization.unigram_pieces import Piece

__all__ = ["read_fields", "read_sentencepiece"]

_KINDS = {1: "normal", 2: "unknown", 3: "control", 4: "user_defined", 5: "unused", 6: "byte"}
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


def read_sentencepiece(path: str | Path) -> tuple[list[Piece], Normalizer]:
    r"""Read the vocabulary and the normalisation of a unigram model.

    Field numbers are those of ``sentencepiece_model.proto``, and a field that is absent has its default there.

    Args:
        path: A ``.model`` file.

    Returns:
        The pieces in the order of their ids, and the normaliser.

    Raises:
        ValueError: The file is no SentencePiece model, is cut off, or is no unigram model.
    """
    pieces: list[Piece] = []
    trainer, normalizer = _Message(b""), _Message(b"")
    try:
        for number, _, data in read_fields(Path(path).read_bytes()):
            if number == 1:
                entry = _Message(data)
                score = struct.unpack("<f", entry.data.get(2, bytes(4)))[0]
                pieces.append(Piece(entry.data[1].decode(), score, _KINDS[entry.integers.get(3, 1)]))
            elif number == 2:
                trainer = _Message(data)
            elif number == 3:
                normalizer = _Message(data)
        if not pieces:
            raise ValueError("it has no pieces")
    except (IndexError, KeyError, struct.error, ValueError) as error:
        raise ValueError(f"{str(path)!r} is no SentencePiece model, or is cut off ({error!r})") from error
    model_type = _MODEL_TYPES.get(trainer.integers.get(3, 1), "unknown")
    if model_type != "unigram":
        raise ValueError(f"{str(path)!r} is a SentencePiece model of type {model_type!r}: only 'unigram' can be read")
    if trainer.integers.get(24, 0):
        raise ValueError(f"{str(path)!r} treats whitespace as a suffix, which is not supported")
    return pieces, Normalizer(
        charsmap=normalizer.data.get(2, b""),
        add_prefix_space=bool(normalizer.integers.get(3, 1)),
        remove_extra_spaces=bool(normalizer.integers.get(4, 1)),
    )


class _Message:
    # The last value of each field, as protobuf reads fields that are not repeated.
    def __init__(self, content: bytes) -> None:
        fields = list(read_fields(content))
        self.integers = {number: integer for number, integer, _ in fields}
        self.data = {number: data for number, _, data in fields}


def read_fields(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    r"""Yield the fields of a protobuf message.

    A field is a key, its number times 8 plus its wire type, and a value: a varint (type 0), 8 bytes (1), a length and
    so many bytes (2), or 4 bytes (5).

    Args:
        content: The message.

    Yields:
        The field's number, its varint or 0, its bytes or none.

    Raises:
        ValueError: The wire type is none of these, or bytes are missing.

    Example:
        >>> list(read_fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69])))
        [(1, 150, b''), (2, 0, b'hi')]
    """
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        integer = size = 0
        match key & 7:
            case 0:
                integer, place = _varint(content, place)
            case 1:
                size = 8
            case 2:
                size, place = _varint(content, place)
            case 5:
                size = 4
            case wire_type:
                raise ValueError(f"wire type {wire_type} at byte {place}")
        if place + size > len(content):
            raise ValueError(f"{size} bytes expected at byte {place} of {len(content)}")
        yield key >> 3, integer, content[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    # Seven bits a byte, lowest first; the eighth says that more follow.
    value = shift = 0
    while True:
        byte = data[place]
        value, place, shift = value | (byte & 0x7F) << shift, place + 1, shift + 7
        if byte < 0x80:
            return value, place
