"""What makes a list of pieces a vocabulary."""

import math

import pytest

from llmcourse.tokenization.unigram_pieces import Piece, check_pieces, meta_pieces

UNKNOWN = Piece("<unk>", 0.0, "unknown")


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([UNKNOWN, Piece("a"), Piece("a")], "piece 2, 'a', is empty or is there twice"),
        ([UNKNOWN, Piece("")], "piece 1, '', is empty"),
        ([UNKNOWN, Piece("a", math.nan)], "piece 'a' has the score nan"),
        ([UNKNOWN, Piece("a", -math.inf)], "piece 'a' has the score -inf"),
        ([UNKNOWN, Piece("a", -1.0, "odd")], "piece 'a' is of kind 'odd'"),
        ([Piece("a")], "0 pieces are of kind 'unknown'"),
        ([UNKNOWN, Piece("<0x41>", 0.0, "byte")], "1 byte pieces: there must be all 256"),
    ],
)
def test_what_is_no_vocabulary_is_quoted(pieces: list[Piece], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_pieces(pieces)


def test_meta_pieces_are_a_vocabulary() -> None:
    pieces = meta_pieces(["<s>"], byte_fallback=True)
    check_pieces(pieces)
    assert len(pieces) == 258
    assert pieces[-1] == Piece("<0xFF>", 0.0, "byte")
