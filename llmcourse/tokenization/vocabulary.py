"""What must hold of a BPE vocabulary, its merges and its special tokens before a tokenizer is made of them."""

import operator
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["check_merges", "check_vocab", "list_special_tokens", "place_special_tokens"]


def check_vocab(vocab: Mapping[int, bytes]) -> dict[int, bytes]:
    r"""Copy a vocabulary, and refuse one in which some text would have no ids or some ids no text.

    Args:
        vocab: The bytes of every id.

    Returns:
        A copy.

    Raises:
        ValueError: An id is no integer of 0 or more, a token no bytes, empty, or there twice, or one of the 256 bytes
            has no token.

    Example:
        >>> check_vocab({0: b"a", 1: b"b"})
        Traceback (most recent call last):
        ...
        ValueError: the vocabulary of 2 tokens has no token for the byte b'\x00': all 256 bytes need one
    """
    if not isinstance(vocab, Mapping):
        raise ValueError(f"vocab is a {type(vocab).__name__}: pass a dict from id to bytes")
    id_of: dict[bytes, int] = {}
    for i, token in vocab.items():
        if not isinstance(i, int) or not 0 <= i < 1 << 31:
            raise ValueError(f"id {i!r} of token {token!r} is no integer from 0 to 2**31 - 1")
        if not isinstance(token, bytes) or not token:
            raise ValueError(f"token {token!r} of id {i} is {'empty' if token == b'' else 'no bytes'}")
        if token in id_of:
            raise ValueError(f"token {token!r} has two ids, {id_of[token]} and {i}")
        id_of[token] = i
    for byte in range(256):
        if bytes([byte]) not in id_of:
            raise ValueError(
                f"the vocabulary of {len(vocab)} tokens has no token for the byte {bytes([byte])!r}: "
                f"all 256 bytes need one"
            )
    return dict(vocab)


def check_merges(merges: Iterable[tuple[bytes, bytes]], tokens: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    r"""Copy a list of merges, and refuse one that the vocabulary does not hold.

    Args:
        merges: Pairs of tokens.
        tokens: The vocabulary's.

    Returns:
        A copy.

    Raises:
        ValueError: A merge is no pair, comes twice, or its pair or result is no token.

    Example:
        >>> check_merges([(b"o", b"w")], [b"o", b"w"])
        Traceback (most recent call last):
        ...
        ValueError: merge 0, b'o' and b'w', makes b'ow', which is not in the vocabulary
    """
    known = set(tokens)
    checked: dict[tuple[bytes, bytes], int] = {}
    for rank, merge in enumerate(merges):
        if not isinstance(merge, Sequence) or len(merge) != 2 or not all(isinstance(part, bytes) for part in merge):
            raise ValueError(f"merge {rank}, {merge!r}, is no pair of bytes")
        left, right = merge
        for part in (left, right):
            if part not in known:
                raise ValueError(
                    f"merge {rank}, {left!r} and {right!r}, needs {part!r}, which is not in the vocabulary"
                )
        if left + right not in known:
            raise ValueError(
                f"merge {rank}, {left!r} and {right!r}, makes {left + right!r}, which is not in the vocabulary"
            )
        if (left, right) in checked:
            raise ValueError(f"merge {rank}, {left!r} and {right!r}, is merge {checked[left, right]} already")
        checked[left, right] = rank
    return list(checked)


def list_special_tokens(special_tokens: Iterable[str]) -> list[str]:
    r"""Copy a list of special tokens, and refuse what cannot be one.

    Args:
        special_tokens: Any number of them.

    Returns:
        A copy.

    Raises:
        ValueError: One is no str, empty, no text that UTF-8 can write, or there twice.

    Example:
        >>> list_special_tokens(["<|end|>", ""])
        Traceback (most recent call last):
        ...
        ValueError: a special token is empty
    """
    if isinstance(special_tokens, str | bytes) or not isinstance(special_tokens, Iterable):
        raise ValueError(f"special_tokens is {special_tokens!r}: pass a sequence of str, or a dict from str to id")
    tokens: dict[str, None] = {}  # a dict keeps their order, and finds one without going through all
    for token in special_tokens:
        if not isinstance(token, str):
            raise ValueError(f"special token {token!r} is a {type(token).__name__}, not a str")
        if not token:
            raise ValueError("a special token is empty")
        if any(0xD800 <= ord(character) < 0xE000 for character in token):
            raise ValueError(f"special token {token!r} holds a lone surrogate, which UTF-8 cannot write")
        if token in tokens:
            raise ValueError(f"special token {token!r} is there twice")
        tokens[token] = None
    return list(tokens)


def place_special_tokens(
    special_tokens: Sequence[str] | Mapping[str, int],
    vocab: Mapping[int, bytes],
    merges: Sequence[tuple[bytes, bytes]],
) -> dict[str, int]:
    r"""Give every special token its id.

    Args:
        special_tokens: With ids of their own, or in the order in which they follow the vocabulary's last id. One that
            the vocabulary holds already, made by no merge, keeps its id.
        vocab: The vocabulary.
        merges: Its merges.

    Returns:
        The id of each special token.

    Raises:
        ValueError: A special token is an ordinary token too, or its id is taken.

    Example:
        >>> place_special_tokens(["<|end|>"], {0: b"a", 1: b"b"}, [])
        {'<|end|>': 2}
        >>> place_special_tokens({"<|end|>": 1}, {0: b"a", 1: b"b"}, [])
        Traceback (most recent call last):
        ...
        ValueError: id 1 of special token '<|end|>' belongs to the token b'b'
    """
    tokens = list_special_tokens(special_tokens)
    id_of = {token: i for i, token in vocab.items()}
    merged = {left + right for left, right in merges}
    placed: dict[str, int] = {}
    following = max(vocab, default=-1) + 1
    for token in tokens:
        spelling = token.encode()
        held = id_of.get(spelling)
        if held is not None and (len(spelling) == 1 or spelling in merged):
            raise ValueError(f"special token {token!r} is also the ordinary token of id {held}: rename it")
        if isinstance(special_tokens, Mapping):
            placed[token] = _own_id(token, special_tokens[token], held, vocab)
        elif held is not None:
            placed[token] = held
        else:
            placed[token] = following
            following += 1
    if len(set(placed.values())) < len(placed):
        raise ValueError(f"two special tokens have one id: {placed}")
    return placed


def _own_id(token: str, given: int, held: int | None, vocab: Mapping[int, bytes]) -> int:
    try:
        i = operator.index(given)
    except TypeError:
        raise ValueError(f"id {given!r} of special token {token!r} is no integer") from None
    if not 0 <= i < 1 << 31:
        raise ValueError(f"id {i} of special token {token!r} is not from 0 to 2**31 - 1")
    if i in vocab and vocab[i] != token.encode():
        raise ValueError(f"id {i} of special token {token!r} belongs to the token {vocab[i]!r}")
    if held is not None and held != i:
        raise ValueError(f"special token {token!r} has id {i}, but is in the vocabulary with id {held}")
    return i
