r"""Train a byte-level BPE tokenizer on text of any size: count pre-tokens part by part, then merge.

What is counted once fits into memory where the text does not: the distinct pre-tokens of a corpus are few (Zipf's
law), and merging needs nothing but them and their counts.
"""

import codecs
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from llmcourse.tokenization.bpe import BPETokenizer
from llmcourse.tokenization.byte_alphabet import BYTE_ORDER
from llmcourse.tokenization.lossless import words_of
from llmcourse.tokenization.merging import learn
from llmcourse.tokenization.patterns import resolve
from llmcourse.tokenization.streaming import split_stream
from llmcourse.tokenization.vocabulary import place_special_tokens

__all__ = ["count_pre_tokens", "read_text", "train_bpe"]

Paths = os.PathLike[str] | Sequence[os.PathLike[str]]

_PART_LENGTH = 1 << 21  # characters that are pre-tokenised at once
_BLOCK_BYTES = 1 << 20


def train_bpe(
    text_or_paths: str | Paths | Iterable[str],
    vocab_size: int,
    *,
    special_tokens: Sequence[str] = (),
    pattern: str = "gpt2",
    tie_break: str = "bytes",
    progress: bool = False,
) -> BPETokenizer:
    r"""Learn a vocabulary: the bytes, then the most frequent pair again and again (Sennrich et al. 2016, section 3.2).

    Args:
        text_or_paths: The corpus: a str is the text itself; a :class:`pathlib.Path` or a list of them names files in
            UTF-8, each a text of its own; any other iterable of str yields one text in chunks, torn anywhere.
        vocab_size: The bytes, the merged tokens and the special tokens together. A small corpus may give fewer.
        special_tokens: Cut out of the corpus before anything is counted, so that they also keep documents apart.
        pattern: ``"gpt2"``, ``"cl100k"``, ``"o200k"`` or a regular expression; pairs across pre-tokens do not count.
        tie_break: Which of several most frequent pairs is merged. ``"bytes"``: the greatest pair of bytes,
            lexicographically. ``"first"``: the one that stands first in the corpus (minbpe's rule). ``"ids"``: the
            smallest pair of ids (the rule of Hugging Face's tokenizers), with their order of ids: special tokens
            first, then the bytes as their printable characters are ordered. Otherwise ids 0 to 255 are the bytes and
            the special tokens come last.
        progress: Say on the standard error what is being done, and how long it took.

    Returns:
        The tokenizer.

    Raises:
        ValueError: The corpus is empty or not UTF-8, the vocabulary has no room for the bytes and special tokens, or
            an argument is unknown; quotes it.

    Cost: one pass over the corpus, which is never held in memory (unless the pattern is your own and there are no
    special tokens to cut at); then a time that grows with the distinct pre-tokens and the merges.

    Example:
        >>> tokenizer = train_bpe("low low low low low lower lower", 260, special_tokens=["<|end|>"])
        >>> tokenizer.merges
        [(b'o', b'w'), (b'l', b'ow'), (b' ', b'low')]
        >>> tokenizer.encode("lower low"), tokenizer.special_tokens
        ([257, 101, 114, 258], {'<|end|>': 259})
    """
    tell = _teller(progress)
    expression = resolve(pattern)
    if tie_break not in ("bytes", "ids", "first"):
        raise ValueError(f"tie_break {tie_break!r} is unknown: choose 'bytes', 'ids' or 'first'")
    special = _special_tokens(special_tokens)
    n_merges = _room_for_merges(vocab_size, len(special))
    counts: dict[bytes, int] = {}
    for chunks in read_text(text_or_paths):
        count_pre_tokens(chunks, expression, special, into=counts)
    if not counts:
        raise ValueError(f"the corpus {_shown(text_or_paths)} is empty: there is nothing to learn from")
    tell(f"counted {sum(counts.values()):,} pre-tokens, {len(counts):,} of them distinct")
    order, first = (BYTE_ORDER, len(special)) if tie_break == "ids" else (list(range(256)), 0)
    merges = learn(
        list(counts),
        np.fromiter(counts.values(), np.int64, len(counts)),
        n_merges,
        tie_break=tie_break,
        base_ids=[first + place for place in np.argsort(order).tolist()],
        first_id=first + 256,
    )
    tell(f"learnt {len(merges):,} merges")
    tokens = [*(bytes([byte]) for byte in order), *dict.fromkeys(left + right for left, right in merges)]
    first_special = 0 if tie_break == "ids" else len(tokens)
    ids = {token: first_special + i for i, token in enumerate(special)}
    return BPETokenizer(dict(enumerate(tokens, start=first)), merges, ids, expression)


def count_pre_tokens(
    chunks: Iterable[str], pattern: str, special_tokens: Sequence[str] = (), *, into: dict[bytes, int]
) -> None:
    r"""Count the pre-tokens of a text that comes in chunks.

    Args:
        chunks: The text, torn anywhere.
        pattern: The regular expression of the pre-tokens.
        special_tokens: Cut out, and not counted.
        into: Where the counts are added, in order of first appearance.

    Raises:
        ValueError: A chunk is no str, or holds a lone surrogate.

    Example:
        >>> counts = {}
        >>> count_pre_tokens(["low lo", "w<s>"], resolve("gpt2"), ["<s>"], into=counts)
        >>> counts
        {b'low': 1, b' low': 1}
    """
    for part, is_special in split_stream(chunks, special_tokens, pattern, part_length=_PART_LENGTH):
        if not is_special:
            words = words_of(part, pattern)
            for word, count in zip(words.distinct, words.counts.tolist(), strict=True):
                into[word] = into.get(word, 0) + count


def read_text(text_or_paths: str | Paths | Iterable[str]) -> list[Iterable[str]]:
    r"""Tell text, paths and iterators apart.

    Args:
        text_or_paths: As for :func:`train_bpe`.

    Returns:
        One iterable of chunks for each text; files are read as they are iterated over.

    Raises:
        ValueError: It is none of these, or a str that names a file, where a path was probably meant.

    Example:
        >>> [list(chunks) for chunks in read_text("low lower")]
        [['low lower']]
    """
    if isinstance(text_or_paths, str):
        _refuse_file_name(text_or_paths)
        return [[text_or_paths]]
    if isinstance(text_or_paths, os.PathLike):
        return [_read_file(Path(text_or_paths))]
    if isinstance(text_or_paths, bytes | bytearray) or not isinstance(text_or_paths, Iterable):
        kind = type(text_or_paths).__name__
        raise ValueError(f"the corpus is a {kind}: pass a str, a pathlib.Path, a list of paths, or an iterable of str")
    if not isinstance(text_or_paths, Sequence):
        return [text_or_paths]
    n_paths = sum(isinstance(item, os.PathLike) for item in text_or_paths)
    if n_paths == 0:
        if text_or_paths and isinstance(text_or_paths[0], str):
            _refuse_file_name(text_or_paths[0])
        return [text_or_paths]  # pyright: ignore[reportReturnType]
    if n_paths < len(text_or_paths):
        raise ValueError(f"the corpus {_shown(text_or_paths)} holds both paths and other things: pass one or the other")
    return [_read_file(Path(item)) for item in text_or_paths]  # pyright: ignore[reportArgumentType]


def _read_file(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    n_read = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                yield decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                offset = n_read - pending + error.start
                raise ValueError(f"{path} is not UTF-8: byte {offset} is {error.object[error.start]:#04x}") from error
            if not block:
                return
            n_read += len(block)


def _refuse_file_name(text: str) -> None:
    # Training on the ten letters of "corpus.txt" would succeed, and say nothing.
    if 0 < len(text) < 1000 and not any(map(str.isspace, text)) and "\0" not in text and os.path.isfile(text):  # noqa: PTH113
        raise ValueError(f"{text!r} is the name of a file, but a str is taken for text: pass pathlib.Path({text!r})")


def _special_tokens(special_tokens: Sequence[str]) -> list[str]:
    if isinstance(special_tokens, Mapping):
        raise ValueError(f"special_tokens {special_tokens!r} gives ids, which training decides: pass a list of str")
    return list(place_special_tokens(special_tokens, {byte: bytes([byte]) for byte in range(256)}, ()))


def _room_for_merges(vocab_size: int, n_special: int) -> int:
    if not isinstance(vocab_size, int) or isinstance(vocab_size, bool):
        raise ValueError(f"vocab_size {vocab_size!r} is no int")
    room = vocab_size - 256 - n_special
    if room < 0:
        raise ValueError(
            f"vocab_size {vocab_size} is too small: the 256 bytes and {n_special} special tokens need {256 + n_special}"
        )
    return room


def _shown(corpus: object) -> str:
    shown = repr(corpus)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _teller(progress: bool) -> Callable[[str], None]:
    begun = time.perf_counter()

    def tell(message: str) -> None:
        if progress:
            print(f"[{time.perf_counter() - begun:7.2f} s] {message}", file=sys.stderr, flush=True)

    return tell
