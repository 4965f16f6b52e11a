r"""Files of ranks as tiktoken has them: on each line a token in base64 and its rank, which is also its id.

Such a file names no merges. tiktoken merges whichever neighbours together spell a token, the lowest rank first, and
takes a pre-token that is a token as a whole. Where every token falls, by the ranks below its own, into exactly two
parts, those two are its merge, and merging by this list gives what tiktoken gives. Vocabularies that were put together
by hand break that; for them every way to split a token is a merge, in order of the token's rank. (In which order the
splits of one token stand does not matter: what is merged within a stretch of text depends on nothing outside it, so
wherever the token is about to be made, it is about to be made of the same two parts.)
"""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path

from llmcourse.tokenization.atomic_write import write_whole

__all__ = ["all_splits", "merges_from_ranks", "read_ranks", "write_ranks"]


def read_ranks(path: str | os.PathLike[str]) -> dict[bytes, int]:
    r"""Read a file of ranks.

    Args:
        path: A ``.tiktoken`` file.

    Returns:
        The rank of each token, in the order of the file.

    Raises:
        ValueError: A line is no token and rank, or a token or rank comes twice; names the file and the line.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_ranks(Path(folder, "a.tiktoken"), {b"a": 0, b"aa": 1})
        ...     Path(folder, "a.tiktoken").read_text(), read_ranks(Path(folder, "a.tiktoken"))
        ('YQ== 0\nYWE= 1\n', {b'a': 0, b'aa': 1})
    """
    ranks: dict[bytes, int] = {}
    seen: set[int] = set()
    for number, line in enumerate(Path(path).read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            encoded, digits = line.split()
            token, rank = base64.b64decode(encoded, validate=True), int(digits)
        except (ValueError, binascii.Error) as error:
            raise ValueError(f"{path}, line {number}: {line[:80]!r} is no token in base64 and rank") from error
        if token in ranks or rank in seen:
            raise ValueError(f"{path}, line {number}: token {token!r} or rank {rank} comes for the second time")
        ranks[token] = rank
        seen.add(rank)
    return ranks


def write_ranks(path: str | os.PathLike[str], ranks: Mapping[bytes, int]) -> None:
    r"""Write a file of ranks, lowest first; see :func:`read_ranks`."""
    lines = (base64.b64encode(token) + b" %d\n" % rank for token, rank in sorted(ranks.items(), key=lambda kv: kv[1]))
    write_whole(path, b"".join(lines))


def merges_from_ranks(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]] | None:
    r"""Find the merge that made each token.

    Args:
        ranks: The rank of each token; the 256 bytes are among them.

    Returns:
        One pair for each token of two bytes or more, in order of rank; None if some token does not fall into two
        parts, so that no list of merges stands for these ranks.

    Example:
        >>> bytes_alone = {bytes([b]): b for b in range(256)}
        >>> merges_from_ranks({**bytes_alone, b"ow": 256, b"low": 257})
        [(b'o', b'w'), (b'l', b'ow')]
        >>> merges_from_ranks({**bytes_alone, b"low": 256}) is None
        True
    """
    merges: list[tuple[bytes, bytes]] = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) < 2:
            continue
        parts = _parts_below(token, rank, ranks)
        if len(parts) != 2:
            return None
        merges.append((parts[0], parts[1]))
    return merges


def all_splits(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    r"""List every way to split a token into two tokens, in order of the token's rank.

    Args:
        ranks: The rank of each token.

    Returns:
        Pairs of tokens; a token of one byte has none.

    Example:
        >>> all_splits({b"a": 0, b"aa": 1, b"aaa": 2})
        [(b'a', b'a'), (b'a', b'aa'), (b'aa', b'a')]
    """
    return [
        (token[:i], token[i:])
        for token, _ in sorted(ranks.items(), key=lambda item: item[1])
        for i in range(1, len(token))
        if token[:i] in ranks and token[i:] in ranks
    ]


def _parts_below(token: bytes, limit: int, ranks: Mapping[bytes, int]) -> list[bytes]:
    """Merge the bytes of a token with the ranks below ``limit``, as tiktoken would, lowest and leftmost first."""
    parts = [token[i : i + 1] for i in range(len(token))]
    candidates = [ranks.get(token[i : i + 2], limit) for i in range(len(token) - 1)]
    while candidates and (best := min(candidates)) < limit:
        i = candidates.index(best)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        del candidates[i]
        if i > 0:
            candidates[i - 1] = ranks.get(parts[i - 1] + parts[i], limit)
        if i < len(candidates):
            candidates[i] = ranks.get(parts[i] + parts[i + 1], limit)
    return parts
