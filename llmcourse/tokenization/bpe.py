r"""Byte-level byte pair encoding: text to ids and back.

Sennrich et al. 2016 (arXiv:1508.07909) for the algorithm, Radford et al. 2019 for bytes and pre-tokens. The steps can
be read in :mod:`llmcourse.tokenization.steps`; here each distinct pre-token is encoded once and its ids are copied to
wherever it stands.
"""

import operator
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, Literal

import numpy as np

from llmcourse.tokenization.huggingface_json import read_huggingface, write_huggingface
from llmcourse.tokenization.lossless import words_of
from llmcourse.tokenization.patterns import pattern_name, resolve
from llmcourse.tokenization.special import SpecialTokens, refusal
from llmcourse.tokenization.streaming import split_stream
from llmcourse.tokenization.tiktoken_ranks import all_splits, merges_from_ranks, read_ranks, write_ranks
from llmcourse.tokenization.tokenizer_file import read_tokenizer_file, write_tokenizer_file
from llmcourse.tokenization.vocabulary import check_merges, check_vocab, place_special_tokens
from llmcourse.tokenization.word_encoder import WordEncoder, ids_of_text

__all__ = ["BPETokenizer"]

Special = Literal["all"] | Collection[str]

_REMEMBERED_WORDS = 1 << 14  # of a stream: some 4 MB
_REMEMBERED_BYTES = 64  # no longer word is remembered


class BPETokenizer:
    r"""A byte-level BPE tokenizer. :func:`train_bpe` makes one from text; files of three formats can be read.

    Attributes:
        vocab: The bytes of every id, special tokens among them. Not to be changed.
        merges: The pairs in the order in which they are merged. Not to be changed.
        special_tokens: The id of every special token.
        pattern: The regular expression that cuts text into pre-tokens.

    Args:
        vocab: The bytes of every id; all 256 bytes have one.
        merges: Pairs of tokens, the first learnt first.
        special_tokens: Their ids, or a sequence of them, whose ids follow the vocabulary's last one. One that the
            vocabulary holds already, made by no merge, keeps its id there.
        pattern: ``"gpt2"``, ``"cl100k"``, ``"o200k"``, or a regular expression.
        whole_words: A pre-token that is a token is taken as such, even where the merges would not make it (tiktoken's
            rule, and Hugging Face's ``ignore_merges``).

    Raises:
        ValueError: The parts do not fit together; quotes what does not.

    Example:
        >>> bytes_alone = {byte: bytes([byte]) for byte in range(256)}
        >>> tokenizer = BPETokenizer({**bytes_alone, 256: b"lo"}, [(b"l", b"o")], ["<|end|>"])
        >>> tokenizer
        BPETokenizer(vocab_size=258, pattern='gpt2', special_tokens=['<|end|>'])
        >>> tokenizer.encode("low<|end|>", allowed_special="all")
        [256, 119, 257]
        >>> tokenizer.decode([256, 119, 257])
        'low<|end|>'
    """

    def __init__(
        self,
        vocab: Mapping[int, bytes],
        merges: Iterable[tuple[bytes, bytes]],
        special_tokens: Sequence[str] | Mapping[str, int] = (),
        pattern: str = "gpt2",
        *,
        whole_words: bool = False,
    ) -> None:
        self.pattern = resolve(pattern)
        ordinary = check_vocab(vocab)
        self.merges = check_merges(merges, ordinary.values())
        self.special_tokens = place_special_tokens(special_tokens, ordinary, self.merges)
        self.vocab: dict[int, bytes] = ordinary | {i: token.encode() for token, i in self.special_tokens.items()}
        self.whole_words = bool(whole_words)
        self._special = SpecialTokens(self.special_tokens)
        special_ids = set(self.special_tokens.values())
        ids = {token: i for i, token in ordinary.items() if i not in special_ids}
        self._encoder = WordEncoder(self.merges, ids, whole_words=self.whole_words)

    @property
    def vocab_size(self) -> int:
        """The rows that an embedding of these ids needs: the largest id and one more."""
        return max(self.vocab) + 1

    def __repr__(self) -> str:
        name = pattern_name(self.pattern) or "regex"
        special = list(self.special_tokens)
        shown = f"{special}" if len(special) <= 3 else f"<{len(special)} of them>"
        return f"BPETokenizer(vocab_size={self.vocab_size}, pattern={name!r}, special_tokens={shown})"

    def encode(self, text: str, *, allowed_special: Special = (), disallowed_special: Special = "all") -> list[int]:
        r"""Encode a text.

        Args:
            text: Any text that UTF-8 can write.
            allowed_special: The special tokens that the text may hold, or ``"all"``; each becomes its id.
            disallowed_special: Those whose presence is an error; ``"all"`` means all that are not allowed. A special
                token that is neither allowed nor disallowed is encoded as ordinary text.

        Returns:
            Ids.

        Raises:
            ValueError: The text holds a disallowed special token, or a lone surrogate.

        Example:
            >>> tokenizer = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [], ["<s>"])
            >>> tokenizer.encode("<s>", allowed_special={"<s>"}), tokenizer.encode("<s>", disallowed_special=())
            ([256], [60, 115, 62])
        """
        return self.encode_to_numpy(
            text, allowed_special=allowed_special, disallowed_special=disallowed_special
        ).tolist()

    def encode_to_numpy(
        self, text: str, *, allowed_special: Special = (), disallowed_special: Special = "all"
    ) -> np.ndarray:
        r"""Encode a text as :meth:`encode` does, to an array of int32: an eighth of a list's memory, and faster."""
        if not isinstance(text, str):
            raise ValueError(f"text is a {type(text).__name__}, not a str: decode bytes first")
        parts = [
            self._encode_ordinary(part) if special_id is None else np.array([special_id], np.int32)
            for part, special_id in self._special.split(text, allowed_special, disallowed_special)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int32), *parts])

    def encode_batch(
        self, texts: Iterable[str], *, allowed_special: Special = (), disallowed_special: Special = "all"
    ) -> list[list[int]]:
        r"""Encode several texts, each as :meth:`encode` does.

        Args:
            texts: Any number of them.
            allowed_special: As for :meth:`encode`.
            disallowed_special: As for :meth:`encode`.

        Returns:
            A list of ids for each text, in order.

        Example:
            >>> BPETokenizer({byte: bytes([byte]) for byte in range(256)}, []).encode_batch(["a", "bc"])
            [[97], [98, 99]]
        """
        if isinstance(texts, str):
            raise ValueError(f"texts is the str {texts!r:.80}: pass a sequence of texts")
        return [
            self.encode(text, allowed_special=allowed_special, disallowed_special=disallowed_special) for text in texts
        ]

    def encode_iterable(
        self, iterable: Iterable[str], *, allowed_special: Special = (), disallowed_special: Special = "all"
    ) -> Iterator[int]:
        r"""Encode one text that comes in chunks, an open file for instance, in constant memory.

        The ids are those of the whole text, wherever the chunks tear it: also in a word, in white space or in a
        special token. A pattern of your own is the exception to constant memory: nothing is known of where it may be
        cut, so text is held up to the next special token.

        Args:
            iterable: The chunks of the text, in order.
            allowed_special: As for :meth:`encode`.
            disallowed_special: As for :meth:`encode`; the error comes when the special token does.

        Returns:
            An iterator over the ids.

        Raises:
            ValueError: As for :meth:`encode`, or a chunk is no str.

        Example:
            >>> tokenizer = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [], ["<s>"])
            >>> list(tokenizer.encode_iterable(["a<", "s>"], allowed_special="all"))
            [97, 256]
        """
        return self._encode_stream(iterable, self._special.sought(allowed_special, disallowed_special))

    def _encode_stream(self, chunks: Iterable[str], sought: dict[str, bool]) -> Iterator[int]:
        known: dict[bytes, list[int]] = {}
        for part, is_special in split_stream(chunks, tuple(sought), self.pattern):
            if not is_special:
                yield from self._encode_part(part, known)
            elif sought[part]:
                yield self.special_tokens[part]
            else:
                raise ValueError(refusal(part))

    def _encode_part(self, text: str, known: dict[bytes, list[int]]) -> Iterator[int]:
        """Encode a short part of a stream: most of its words have come before, so their ids are remembered."""
        words = words_of(text, self.pattern)
        if len(known) > _REMEMBERED_WORDS:
            known.clear()
        new = [word for word in words.distinct if word not in known]
        flat, offsets = self._encoder.encode(new)
        ids = flat.tolist()
        found = {word: ids[start:end] for word, (start, end) in zip(new, pairwise(offsets.tolist()), strict=True)}
        of_word = [known[word] if word in known else found[word] for word in words.distinct]
        known |= {word: found[word] for word in new if len(word) <= _REMEMBERED_BYTES}
        return chain.from_iterable(map(of_word.__getitem__, words.sequence.tolist()))

    def _encode_ordinary(self, text: str) -> np.ndarray:
        """Encode each distinct pre-token once, then copy its ids to wherever it stands."""
        words = words_of(text, self.pattern)
        return ids_of_text(*self._encoder.encode(words.distinct), words.sequence)

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        r"""Join the bytes of the tokens.

        Args:
            ids: Tokens; a list, an array or a tensor of one dimension.

        Returns:
            The bytes, which need not be whole characters.

        Raises:
            ValueError: An id is not in the vocabulary; quotes it.

        Example:
            >>> BPETokenizer({byte: bytes([byte]) for byte in range(256)}, []).decode_bytes([195, 40])
            b'\xc3('
        """
        values = ids.tolist() if hasattr(ids, "tolist") else ids  # pyright: ignore[reportAttributeAccessIssue]
        try:
            return b"".join(map(self.vocab.__getitem__, map(operator.index, values)))
        except KeyError as error:
            raise ValueError(
                f"id {error.args[0]} is not in the vocabulary of {len(self.vocab)} tokens, "
                f"whose largest id is {max(self.vocab)}"
            ) from None
        except TypeError as error:
            raise ValueError(f"ids must be a sequence of integers: {error}") from None

    def decode(self, ids: Iterable[int], errors: str = "replace") -> str:
        r"""Read the bytes of the tokens as UTF-8.

        Args:
            ids: Tokens; a list, an array or a tensor of one dimension.
            errors: What to do with bytes that are no UTF-8, as for :meth:`bytes.decode`: ``"replace"`` puts U+FFFD.

        Returns:
            The text. Tokens may end within a character, so decoding ids one by one is not the same.

        Raises:
            ValueError: An id is not in the vocabulary, or ``errors="strict"`` and the bytes are no UTF-8.

        Example:
            >>> BPETokenizer({byte: bytes([byte]) for byte in range(256)}, []).decode([195, 40])
            '\ufffd('
        """
        return self.decode_bytes(ids).decode("utf-8", errors=errors)

    def save(self, path: str | os.PathLike[str]) -> None:
        r"""Write the course's own JSON file, whole or not at all; :meth:`load` reads it.

        Args:
            path: Where to.

        Example:
            >>> import tempfile, pathlib
            >>> tokenizer = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [], ["<s>"])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     tokenizer.save(pathlib.Path(folder, "bytes.json"))
            ...     BPETokenizer.load(pathlib.Path(folder, "bytes.json"))
            BPETokenizer(vocab_size=257, pattern='gpt2', special_tokens=['<s>'])
        """
        write_tokenizer_file(path, **self._parts())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "BPETokenizer":
        r"""Read what :meth:`save` wrote.

        Args:
            path: A file that :meth:`save` wrote.

        Returns:
            The tokenizer.

        Raises:
            ValueError: The file is another kind's, a later version's, or damaged.
        """
        return cls(**read_tokenizer_file(path))

    @classmethod
    def from_tiktoken(
        cls,
        path: str | os.PathLike[str],
        special_tokens: Sequence[str] | Mapping[str, int] = (),
        pattern: str = "gpt2",
    ) -> "BPETokenizer":
        r"""Read a file of tiktoken ranks; the encodings are tiktoken's.

        Args:
            path: A ``.tiktoken`` file. It names neither special tokens nor a pattern.
            special_tokens: With the ids that they have in tiktoken, or in order after the last rank.
            pattern: As for the class.

        Returns:
            The tokenizer.

        Raises:
            ValueError: The file is damaged, or lacks one of the 256 bytes.
        """
        ranks = read_ranks(path)
        vocab = {rank: token for token, rank in ranks.items()}
        merges = merges_from_ranks(ranks)
        if merges is None:
            merges = all_splits(ranks)
        return cls(vocab, merges, special_tokens, pattern, whole_words=True)

    def to_tiktoken(self, path: str | os.PathLike[str]) -> None:
        r"""Write a file of tiktoken ranks; special tokens and pattern have to be told to tiktoken beside it.

        Args:
            path: Where to.

        Raises:
            ValueError: Ranks cannot say what the merges do.
        """
        special_ids = set(self.special_tokens.values())
        ranks = {token: i for i, token in self.vocab.items() if i not in special_ids}
        if self.merges != merges_from_ranks(ranks) and not (self.whole_words and self.merges == all_splits(ranks)):
            raise ValueError("the merges of this tokenizer do not follow from its ids, so tiktoken cannot hold them")
        write_ranks(path, ranks)

    @classmethod
    def from_huggingface(cls, path: str | os.PathLike[str]) -> "BPETokenizer":
        r"""Read a ``tokenizer.json`` of a byte-level BPE model; the encodings are Hugging Face's.

        Every added token becomes a special token. What a template adds before or after is left out: compare with
        ``encode(text, add_special_tokens=False)``.

        Args:
            path: A ``tokenizer.json``.

        Returns:
            The tokenizer.

        Raises:
            ValueError: The file describes another kind of tokenizer; names the key that says so.
        """
        return cls(**read_huggingface(path))

    def to_huggingface(self, path: str | os.PathLike[str]) -> None:
        r"""Write a ``tokenizer.json`` that ``tokenizers`` and ``transformers`` read.

        Args:
            path: Where to.

        Raises:
            ValueError: The pattern or a special token means something else there.
        """
        write_huggingface(path, **self._parts())

    def _parts(self) -> dict[str, Any]:
        names = ("vocab", "merges", "special_tokens", "pattern", "whole_words")
        return {name: getattr(self, name) for name in names}
