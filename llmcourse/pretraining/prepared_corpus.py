"""A prepared corpus: a folder of shards with their tokenizer, and a manifest of how they came to be."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.pretraining.shards import Shard, open_shard, write_shard
from llmcourse.tokenization import BPETokenizer, fingerprint
from llmcourse.tokenization.atomic_write import write_whole

__all__ = ["PreparedCorpus", "open_corpus", "read_manifest", "write_corpus"]

_VERSION = 1


class PreparedCorpus(NamedTuple):
    """What ``open_corpus`` found.

    Attributes:
        tokenizer: What made the ids.
        shards: In order; each is memory-mapped.
        manifest: How they were made: settings, and what was kept and dropped at each stage.
    """

    tokenizer: BPETokenizer
    shards: list[Shard]
    manifest: dict[str, Any]

    @property
    def tokens(self) -> Int[Tensor, " n_tokens"]:
        """All tokens in a row; one shard stays on the disk, several are read into memory."""
        return self.shards[0].tokens if len(self.shards) == 1 else torch.cat([shard.tokens for shard in self.shards])

    def n_bytes(self, tokens: Int[Tensor, " n"]) -> int:
        """Return how many bytes of text some tokens are; special ones are none.

        Args:
            tokens: Ids.

        Returns:
            Bytes of UTF-8.
        """
        lengths = torch.zeros(self.tokenizer.vocab_size, dtype=torch.int64)
        special = set(self.tokenizer.special_tokens.values())
        for number, token in self.tokenizer.vocab.items():
            lengths[number] = 0 if number in special else len(token)
        counts = torch.bincount(tokens.long(), minlength=len(lengths))
        return int((counts * lengths).sum())


def write_corpus(
    documents: Iterable[Sequence[int] | Int[np.ndarray, " length"]],
    folder: str | Path,
    *,
    tokenizer: BPETokenizer,
    shard_tokens: int,
    about: dict[str, Any],
) -> dict[str, Any]:
    r"""Write shards, the tokenizer, and last the manifest: a folder without one is not finished.

    Args:
        documents: Ids of each, taken one by one.
        folder: Where to; it is there.
        tokenizer: What made the ids.
        shard_tokens: A shard is closed when it has so many tokens, at the end of a document.
        about: What else the manifest is to say, in JSON's values.

    Returns:
        The manifest.

    Raises:
        ValueError: There is no token at all.
        OSError: It could not be written.
    """
    folder, shards = Path(folder), []
    for old in folder.glob("shard-*.bin*"):  # of a run that was stopped, which may have had more
        old.unlink()
    tokenizer.save(folder / "tokenizer.json")
    waiting: list[Any] = []
    n_waiting = 0

    def close() -> None:
        path = folder / f"shard-{len(shards):05d}.bin"
        write_shard(waiting, path, tokenizer=tokenizer)
        index = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
        shards.append({"file": path.name, "n_documents": len(waiting)} | {k: index[k] for k in ("n_tokens", "sha256")})
        waiting.clear()

    for document in documents:
        waiting.append(document)
        n_waiting += len(document)
        if n_waiting >= shard_tokens:
            close()
            n_waiting = 0
    if n_waiting or not shards:
        close()
    manifest = {"version": _VERSION, "tokenizer": fingerprint(tokenizer), "shards": shards} | about
    write_whole(folder / "manifest.json", json.dumps(manifest, indent=1).encode() + b"\n")
    return manifest


def read_manifest(folder: str | Path) -> dict[str, Any] | None:
    r"""Return the manifest of a folder.

    Args:
        folder: Of ``llmcourse prepare``.

    Returns:
        What it says; None where there is none, since nothing was prepared there, or not to the end.

    Raises:
        ValueError: It is damaged, or of another version; quotes the file.
    """
    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["version"] != _VERSION:
            raise ValueError(f"its version is {manifest['version']}, and this course reads {_VERSION}")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is no manifest of a prepared corpus: {error}") from error
    return manifest


def open_corpus(folder: str | Path, *, verify: bool = True) -> PreparedCorpus:
    r"""Open what ``llmcourse prepare`` wrote.

    Args:
        folder: Where it is.
        verify: Compare the checksums of the shards.

    Returns:
        The corpus.

    Raises:
        ValueError: There is none, it is not finished, damaged, or its tokenizer is another one; quotes the folder.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        raise ValueError(
            f"{str(folder)!r} holds no prepared corpus, or one that is not finished: run llmcourse prepare"
        )
    tokenizer = BPETokenizer.load(folder / "tokenizer.json")
    if fingerprint(tokenizer) != manifest["tokenizer"]:
        raise ValueError(f"the tokenizer in {str(folder)!r} is not the one that made its shards: prepare it again")
    shards = [open_shard(folder / one["file"], tokenizer=tokenizer, verify=verify) for one in manifest["shards"]]
    return PreparedCorpus(tokenizer, shards, manifest)
