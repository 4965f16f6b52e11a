"""The entries of a unigram vocabulary, and what makes a list of them one."""

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["KINDS", "Piece", "check_pieces", "meta_pieces"]

KINDS = ("normal", "unknown", "control", "user_defined", "unused", "byte")


class Piece(NamedTuple):
    r"""One entry of a unigram vocabulary.

    Attributes:
        text: The piece, with U+2581 for a space.
        score: Its log-probability in nats; 0 for what is not segmented by probability.
        kind: ``"normal"``, ``"unknown"``, ``"control"`` (never matched in text), ``"user_defined"`` (always matched),
            ``"unused"`` (never matched) or ``"byte"`` (``<0x00>`` to ``<0xFF>``).
    """

    text: str
    score: float = 0.0
    kind: str = "normal"


def meta_pieces(control: Sequence[str], *, byte_fallback: bool) -> list[Piece]:
    r"""Return what comes before the normal pieces, in SentencePiece's order: ``<unk>``, control pieces, bytes.

    Args:
        control: The control pieces.
        byte_fallback: Whether to add the 256 byte pieces.

    Returns:
        The pieces, each with the score 0.

    Example:
        >>> [piece.text for piece in meta_pieces(["<s>"], byte_fallback=True)[:4]]
        ['<unk>', '<s>', '<0x00>', '<0x01>']
    """
    meta = [Piece("<unk>", 0.0, "unknown"), *(Piece(text, 0.0, "control") for text in control)]
    return meta + [Piece(f"<0x{byte:02X}>", 0.0, "byte") for byte in range(256 if byte_fallback else 0)]


def check_pieces(pieces: Sequence[Piece]) -> None:
    r"""Refuse a list that is no vocabulary.

    Args:
        pieces: The list.

    Raises:
        ValueError: A piece is there twice or empty, a score is not finite, a kind is not known, ``<unk>`` is missing,
            or there are some byte pieces but not all.
    """
    seen: set[str] = set()
    for number, (text, score, kind) in enumerate(pieces):
        if not text or text in seen:
            raise ValueError(f"piece {number}, {text!r}, is empty or is there twice")
        seen.add(text)
        if not math.isfinite(score):
            raise ValueError(f"piece {text!r} has the score {score}: log-probabilities must be finite")
        if kind not in KINDS:
            raise ValueError(f"piece {text!r} is of kind {kind!r}: use one of {KINDS}")
    unknown = sum(piece.kind == "unknown" for piece in pieces)
    if unknown != 1:
        raise ValueError(f"{unknown} pieces are of kind 'unknown': there must be exactly one")
    given = [piece.text for piece in pieces if piece.kind == "byte"]
    if given and sorted(given) != [f"<0x{byte:02X}>" for byte in range(256)]:
        raise ValueError(f"{len(given)} byte pieces: there must be all 256, <0x00> to <0xFF>, or none")
