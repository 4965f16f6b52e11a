"""Shards: tokens on the disk, of which a process reads only what its batches touch."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.tokenization import BPETokenizer, UnigramTokenizer, fingerprint

__all__ = ["Shard", "open_shard", "write_shard"]

_VERSION = 1


class Shard(NamedTuple):
    """What ``open_shard`` found.

    Attributes:
        tokens: All documents, one after the other; memory-mapped, so that it may be larger than the memory.
        ends: Where each document ends.
    """

    tokens: Int[Tensor, " n_tokens"]
    ends: Int[Tensor, " n_documents"]

    def document(self, index: int) -> Int[Tensor, " length"]:
        """Return the tokens of one document."""
        start = 0 if index == 0 else int(self.ends[index - 1])
        return self.tokens[start : int(self.ends[index])]


def write_shard(
    documents: Iterable[Sequence[int]], path: str | Path, *, tokenizer: BPETokenizer | UnigramTokenizer
) -> Shard:
    r"""Write tokens to ``path`` and what is known of them to ``path`` with ``.json``; whole or not at all.

    Args:
        documents: Ids of each, taken one by one: only one needs to be in memory.
        path: The file of tokens; another of that name is replaced.
        tokenizer: What made the ids.

    Returns:
        The shard, opened.

    Raises:
        ValueError: There is no token, or an id is not the tokenizer's; quotes it. Nothing is left behind.
        OSError: It could not be written.

    Cost: 2 bytes a token where the vocabulary has at most 32,768 ids, else 4.

    Example:
        >>> import tempfile
        >>> tokenizer = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     documents = [tokenizer.encode("to be"), tokenizer.encode("or")]
        ...     shard = write_shard(documents, f"{folder}/a.bin", tokenizer=tokenizer)
        ...     shard.document(1).tolist()
        [111, 114]
    """
    path = Path(path)
    dtype = np.dtype("<i2" if tokenizer.vocab_size <= 2**15 else "<i4")
    digest, ends, partial = hashlib.sha256(), [0], path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            for document in documents:
                data = _checked(document, tokenizer.vocab_size, len(ends) - 1).astype(dtype).tobytes()
                file.write(data)
                digest.update(data)
                ends.append(ends[-1] + len(document))
            file.flush()
            os.fsync(file.fileno())
        if not ends[-1]:
            raise ValueError(f"{len(ends) - 1} documents hold no token: there is nothing to write to {str(path)!r}")
        index = {
            "version": _VERSION,
            "dtype": dtype.str,
            "n_tokens": ends[-1],
            "sha256": digest.hexdigest(),
            "tokenizer": fingerprint(tokenizer),
            "vocab_size": tokenizer.vocab_size,
            "ends": ends[1:],
        }
        # Between these two a crash leaves an index that the new tokens do not fit, which opening them refuses.
        partial.replace(path)
        _write_text(_index_of(path), json.dumps(index))
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    return open_shard(path, tokenizer=tokenizer)


def open_shard(path: str | Path, *, tokenizer: BPETokenizer | UnigramTokenizer, verify: bool = True) -> Shard:
    r"""Map a shard's tokens into memory.

    Args:
        path: What was given to ``write_shard``.
        tokenizer: What the ids are to be read with.
        verify: Read all of it once and compare the checksum; without, only the size is looked at.

    Returns:
        The shard.

    Raises:
        ValueError: It was made with another tokenizer, is damaged, or is no shard; quotes the file.
    """
    path = Path(path)
    index = _read_index(path)
    if index["tokenizer"] != fingerprint(tokenizer):
        raise ValueError(
            f"{str(path)!r} was made with another tokenizer (vocabulary {index['vocab_size']}, yours "
            f"{tokenizer.vocab_size}): its ids mean other tokens; make the shard again, or load its own tokenizer"
        )
    dtype = np.dtype(index["dtype"])
    size = path.stat().st_size if path.is_file() else 0
    if size != index["n_tokens"] * dtype.itemsize or (verify and _digest_of(path) != index["sha256"]):
        raise ValueError(f"{str(path)!r} is not what was written ({size} bytes): it is damaged; make the shard again")
    kind = torch.int16 if dtype.itemsize == 2 else torch.int32
    tokens = torch.from_file(str(path), shared=False, size=index["n_tokens"], dtype=kind)
    return Shard(tokens, torch.tensor(index["ends"], dtype=torch.int64))


def _checked(document: Sequence[int], vocab_size: int, number: int) -> np.ndarray:
    ids = np.asarray(document, dtype=np.int64)
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocab_size:
        wrong = ids[(ids < 0) | (ids >= vocab_size)][0]
        raise ValueError(f"document {number} has the id {wrong}: the tokenizer's are from 0 to {vocab_size - 1}")
    return ids


def _index_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_index(path: Path) -> dict[str, Any]:
    try:
        index = json.loads(_index_of(path).read_text(encoding="utf-8"))
        if index["version"] != _VERSION:
            raise ValueError(f"{str(path)!r} is of version {index['version']}: this course reads {_VERSION}")
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is no shard: there is no index {str(_index_of(path))!r} ({error})") from error
    return index


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
