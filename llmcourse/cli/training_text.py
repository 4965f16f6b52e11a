"""What ``llmcourse train`` learns from: a corpus or a file, with a tokenizer of its own, or shards with theirs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from llmcourse.pretraining import Strategy
    from llmcourse.tokenization import BPETokenizer

__all__ = ["TrainingText", "from_corpus", "from_shards"]


class TrainingText(NamedTuple):
    """Tokens, and what they were made with.

    Attributes:
        tokens: To train on.
        held_out: To measure by.
        held_out_bytes: How many bytes of text these are.
        vocab_size: What a model of them needs.
    """

    tokens: "Tensor"
    held_out: "Tensor"
    held_out_bytes: int
    vocab_size: int


def from_corpus(corpus: str, folder: Path, *, vocab_size: int, strategy: "Strategy") -> TrainingText:
    """Read a text, and train a tokenizer on it or take that of the folder.

    Args:
        corpus: ``documentation``, ``stdlib``, ``tiny-stories``, ``fineweb-edu`` or the path of a file.
        folder: Where the tokenizer is, or goes.
        vocab_size: Of one that is trained.
        strategy: Which process trains it; the others wait for it, and then read it.

    Returns:
        The text, its last twentieth held out.

    Raises:
        ValueError: There is no such text, it is empty, or the folder's tokenizer is larger; quotes it.
        ImportError: A corpus of the hub needs ``datasets``.
        ConnectionError: The hub cannot be reached.
    """
    text = _text_of(corpus)
    if strategy.is_main:
        _tokenizer_of(text, vocab_size, folder)
    strategy.any(False)
    return _split(text, _tokenizer_of(text, vocab_size, folder), vocab_size)


def from_shards(shards: Path, folder: Path, *, strategy: "Strategy") -> TrainingText:
    """Open what ``llmcourse prepare`` wrote, and put its tokenizer beside the checkpoints.

    Args:
        shards: The folder of shards.
        folder: Where the checkpoints go.
        strategy: Which process looks at the checksums and copies the tokenizer.

    Returns:
        All tokens in a row, the last twentieth of them held out.

    Raises:
        ValueError: There are no whole shards, or the folder has the tokenizer of another run; quotes the folder.
    """
    from llmcourse.pretraining import open_corpus
    from llmcourse.tokenization import BPETokenizer, fingerprint

    corpus = open_corpus(shards, verify=strategy.is_main)
    path = folder / "tokenizer.json"
    if strategy.is_main and not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        corpus.tokenizer.save(path)
    strategy.any(False)
    if fingerprint(BPETokenizer.load(path)) != fingerprint(corpus.tokenizer):
        raise ValueError(f"the run in {str(folder)!r} began with another tokenizer than that of {str(shards)!r}")
    tokens = corpus.tokens
    cut = len(tokens) - len(tokens) // 20
    held_out = tokens[cut:]
    return TrainingText(tokens[:cut], held_out, corpus.n_bytes(held_out), corpus.tokenizer.vocab_size)


# As many of the first documents as make about 20 MB, which the tokenizer and the split hold in memory.
_STORIES, _PAGES = 25_000, 4_000


def _text_of(corpus: str) -> str:
    from llmcourse.pretraining import documentation, fineweb_edu, source_code, tiny_stories

    known: dict[str, Callable[[], str]] = {
        "documentation": documentation,
        "stdlib": source_code,
        "tiny-stories": lambda: "\n\n".join(tiny_stories(max_documents=_STORIES)),
        "fineweb-edu": lambda: "\n\n".join(fineweb_edu(max_documents=_PAGES)),
    }
    if corpus in known:
        return known[corpus]()
    path = Path(corpus)
    if not path.is_file():
        raise ValueError(f"corpus is {corpus!r}: give {', '.join(known)}, or the path of a text file")
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        raise ValueError(f"{corpus!r} is empty: there is nothing to learn from it")
    return text


def _tokenizer_of(text: str, vocab_size: int, folder: Path) -> "BPETokenizer":
    """Train the tokenizer, or take the one that a run in this folder began with."""
    from llmcourse.tokenization import BPETokenizer, train_bpe

    path = folder / "tokenizer.json"
    if path.is_file():
        tokenizer = BPETokenizer.load(path)
        if len(tokenizer.vocab) > vocab_size:
            raise ValueError(
                f"vocab_size is {vocab_size}, but the tokenizer in {str(folder)!r} has {len(tokenizer.vocab)} tokens: "
                "give the same settings, or another folder"
            )
        return tokenizer
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = train_bpe(text, vocab_size)
    tokenizer.save(path)
    return tokenizer


def _split(text: str, tokenizer: "BPETokenizer", vocab_size: int) -> TrainingText:
    import torch

    cut = len(text) - len(text) // 20
    parts = [tokenizer.encode(part, disallowed_special=()) for part in (text[:cut], text[cut:])]
    train_on, held_out = (torch.tensor(part, dtype=torch.int32) for part in parts)
    return TrainingText(train_on, held_out, len(text[cut:].encode()), vocab_size)
