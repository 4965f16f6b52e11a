"""What the benchmark of tokenization measures: tasks, their texts, and the two contenders for each."""

import importlib.util
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llmcourse.pretraining.corpora import docstrings, source_code
from llmcourse.tokenization import BPETokenizer, train_bpe
from llmcourse.tokenization.patterns import PATTERNS

__all__ = ["Encoding", "Task", "Training", "corpus", "pieces"]

_PROSE = ("numpy", "sympy", "torch", "matplotlib", "IPython", "sphinx", "nbconvert", "networkx", "jinja2", "pygments")
_PIECE = 100_000  # characters; what runs in several threads is given the text in such pieces


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to measure.

    Args:
        what: "train" or "encode".
        corpus: "prose" or "code".
        size: Bytes of text at most.
        vocab_size: Tokens.
        threads: How many the other package may use.
        repeats: Rounds.
    """

    what: str
    corpus: str
    size: int
    vocab_size: int
    threads: int
    repeats: int


def pieces(text: str) -> list[str]:
    """Cut a text where every pattern starts a word, so that the pieces' words are the text's.

    Args:
        text: The text.

    Returns:
        Pieces of 100,000 characters and as many more as it takes to the next such place.

    Example:
        >>> parts = pieces("low lower " * 50_000)
        >>> len(parts), "".join(parts) == "low lower " * 50_000
        (5, True)
    """
    parts, start = [], 0
    while start < len(text):
        end = text.find(" ", start + _PIECE)
        while end > 0 and text[end - 1].isspace():
            end = text.find(" ", end + 1)
        end = len(text) if end < 0 else end
        parts.append(text[start:end])
        start = end
    return parts


class Training:
    """Train a vocabulary: byte level, the pattern of GPT-2, ties to the smallest ids."""

    def __init__(self, task: Task, text: str) -> None:
        self._size, self._text, self._pieces = task.vocab_size, text, pieces(text)

    def ours(self) -> list[tuple[bytes, bytes]]:
        """Return the merges."""
        return train_bpe(self._text, self._size, tie_break="ids").merges

    def theirs(self) -> object:
        """Return a trained tokenizer."""
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=self._size, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator(self._pieces, trainer)
        return tokenizer

    def equal(self) -> bool:
        """Whether both learn the same merges."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "tokenizer.json")
            self.theirs().save(str(path))  # pyright: ignore[reportAttributeAccessIssue]
            return BPETokenizer.from_huggingface(path).merges == self.ours()


class Encoding:
    """Encode with the same vocabulary, which is learnt from the text's first megabyte."""

    def __init__(self, task: Task, text: str) -> None:
        import tiktoken

        self._text, self._threads, self._pieces = text, task.threads, pieces(text)
        self._trained = train_bpe(text[:1_000_000], task.vocab_size)
        ranks = {token: number for number, token in self._trained.vocab.items()}
        self._other = tiktoken.Encoding("course", pat_str=PATTERNS["gpt2"], mergeable_ranks=ranks, special_tokens={})
        self._fresh: Iterator[BPETokenizer] = iter(())

    def prepare(self, rounds: int) -> None:
        """Make a tokenizer for each round, before time is taken."""
        trained = self._trained
        self._fresh = iter([BPETokenizer(trained.vocab, trained.merges) for _ in range(rounds)])

    def ours(self) -> list[int]:
        """Return the ids of the whole text."""
        return next(self._fresh).encode(self._text)

    def theirs(self) -> list[int] | list[list[int]]:
        """Return the ids of the whole text, or those of its pieces when there are threads to use."""
        if self._threads == 1:
            return self._other.encode_ordinary(self._text)
        return self._other.encode_ordinary_batch(self._pieces, num_threads=self._threads)

    def equal(self) -> bool:
        """Whether both give the same ids."""
        self.prepare(1)
        theirs = self.theirs()
        flat = theirs if self._threads == 1 else [token for part in theirs for token in part]  # pyright: ignore
        return flat == self.ours()


def corpus(task: Task) -> str:
    """Return the text of a task, from packages that are installed."""
    if task.corpus == "code":
        return source_code("stdlib", max_bytes=task.size)
    found, size = [], 0
    for package in _PROSE:
        if size < task.size and importlib.util.find_spec(package) is not None:
            found.append(docstrings(package, max_bytes=task.size - size))
            size += len(found[-1].encode())
    return "\n\n".join(found)
