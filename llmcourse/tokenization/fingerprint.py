"""A tokenizer's fingerprint: what tells whether ids were made by it."""

import hashlib
import json

from llmcourse.tokenization.bpe import BPETokenizer
from llmcourse.tokenization.unigram import UnigramTokenizer

__all__ = ["fingerprint"]


def fingerprint(tokenizer: BPETokenizer | UnigramTokenizer) -> str:
    r"""Return a digest of all that decides which ids a text becomes.

    Args:
        tokenizer: Of either kind.

    Returns:
        64 hexadecimal digits: the same for the same tokenizer, also after it was saved and loaded.

    Raises:
        ValueError: It is no tokenizer of the course; quotes its type.

    Example:
        >>> bytes_alone = {byte: bytes([byte]) for byte in range(256)}
        >>> fingerprint(BPETokenizer(bytes_alone, [])) == fingerprint(BPETokenizer(bytes_alone, [], ["<s>"]))
        False
    """
    if isinstance(tokenizer, BPETokenizer):
        parts = [
            "bpe",
            sorted((number, token.hex()) for number, token in tokenizer.vocab.items()),
            [[left.hex(), right.hex()] for left, right in tokenizer.merges],
            sorted(tokenizer.special_tokens.items()),
            tokenizer.pattern,
            tokenizer.whole_words,
        ]
    elif isinstance(tokenizer, UnigramTokenizer):
        parts = ["unigram", [[*map(str, piece)] for piece in tokenizer.pieces], repr(tokenizer.normalizer)]
    else:
        raise ValueError(f"tokenizer is a {type(tokenizer).__name__}: give a BPETokenizer or a UnigramTokenizer")
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()
