r"""The printable alphabet of byte-level BPE: one visible character for each of the 256 bytes.

GPT-2's release (Radford et al. 2019) wrote tokens so in its files, and Hugging Face's do to this day: bytes that
print in Latin-1 stand for themselves, the other 68 are moved to U+0100 and up, so that a space is ``Ġ`` and a line
feed ``Ċ``.
"""

__all__ = ["BYTE_OF", "BYTE_ORDER", "CHARACTER_OF", "from_printable", "to_printable"]

_PRINTED_AS_ITSELF = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_MOVED = [byte for byte in range(256) if byte not in set(_PRINTED_AS_ITSELF)]

CHARACTER_OF: dict[int, str] = {byte: chr(byte) for byte in _PRINTED_AS_ITSELF} | {
    byte: chr(0x100 + i) for i, byte in enumerate(_MOVED)
}
BYTE_OF: dict[str, int] = {character: byte for byte, character in CHARACTER_OF.items()}

BYTE_ORDER: list[int] = [*_PRINTED_AS_ITSELF, *_MOVED]
"""The bytes in the order of their characters: the order of the first ids in GPT-2's and Hugging Face's vocabularies."""


def to_printable(token: bytes) -> str:
    r"""Write a token in the printable alphabet.

    Args:
        token: Any bytes.

    Returns:
        One character for each byte.

    Example:
        >>> to_printable(b" low\n")
        'ĠlowĊ'
    """
    return "".join(map(CHARACTER_OF.__getitem__, token))


def from_printable(text: str) -> bytes:
    r"""Read a token that is written in the printable alphabet.

    Args:
        text: Characters of the alphabet.

    Returns:
        One byte for each character.

    Raises:
        ValueError: A character stands for no byte.

    Example:
        >>> from_printable("ĠlowĊ")
        b' low\n'
    """
    try:
        return bytes(map(BYTE_OF.__getitem__, text))
    except KeyError as error:
        raise ValueError(f"token {text!r} holds {error.args[0]!r}, which stands for no byte") from None
