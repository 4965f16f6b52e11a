"""The unigram tokenizer: a vocabulary of pieces with probabilities, and the best way to cut a text into them.

Kudo 2018 (arXiv:1804.10959) proposes the model and sampling from it; SentencePiece (Kudo & Richardson 2018,
arXiv:1808.06226) is the implementation that the ids, the scores and the treatment of spaces here agree with.
"""

import json
import math
import os
import tempfile
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import regex

from llmcourse.tokenization.lattice import Lattice, prefix_table
from llmcourse.tokenization.normalization import SPACE_MARK, Normalizer
from llmcourse.tokenization.sentencepiece_model import read_sentencepiece
from llmcourse.tokenization.unigram_pieces import Piece, check_pieces, meta_pieces
from llmcourse.tokenization.unigram_training import TrainingSettings, train_pieces

__all__ = ["UnigramTokenizer"]

# An unknown character costs this much more, in nats, than the least likely piece (SentencePiece's kUnkPenalty).
_UNKNOWN_PENALTY = 10.0
# What SentencePiece's formula for user-defined pieces comes to, so that they win over any way to cut them.
_USER_DEFINED_SCORE = -0.1
_UNKNOWN_SURFACE = " \u2047 "
# A U+2581 that is in the text itself. No text that has a UTF-8 form holds a lone surrogate, so no piece matches it.
_LITERAL_MARK = "\ud800"
# Words cut at every space mark, and words remembered, at most.
_WORD = regex.compile(f"{SPACE_MARK}[^{SPACE_MARK}]*|[^{SPACE_MARK}]+")
_REMEMBERED = 100_000


class UnigramTokenizer:
    r"""A text's tokens are its most probable segmentation, where pieces are drawn independently of each other.

    With 256 byte pieces in the vocabulary, a character that is no piece becomes its UTF-8 bytes, and every text comes
    back from :meth:`decode` (where the normaliser is the identity); without them it becomes ``<unk>``, one for a run
    of them. One case differs from SentencePiece on purpose: with byte pieces, a U+2581 in the text is not taken
    for a space but becomes its bytes, since it would come back as a space otherwise.

    Args:
        pieces: The vocabulary in the order of the ids, with exactly one piece of kind ``"unknown"``.
        normalizer: What is done to text first.

    Raises:
        ValueError: A piece is there twice or empty, a score is not finite, a kind is not known, ``<unk>`` is missing,
            or there are some byte pieces but not all.

    Example:
        >>> tokenizer = UnigramTokenizer.train("low lower lowest new newer newest old older oldest", 18)
        >>> tokenizer.encode_pieces("lowest newer")
        ['▁low', 'est', '▁new', 'er']
        >>> tokenizer.decode(tokenizer.encode("lowest newer"))
        'lowest newer'
    """

    def __init__(self, pieces: Sequence[Piece], normalizer: Normalizer | None = None) -> None:
        self.pieces = [Piece(*piece) for piece in pieces]
        self.normalizer = normalizer or Normalizer()
        self._ids = {piece.text: number for number, piece in enumerate(self.pieces)}
        check_pieces(self.pieces)
        normal = {piece.text: piece.score for piece in self.pieces if piece.kind == "normal"}
        self.unknown_id = next(number for number, piece in enumerate(self.pieces) if piece.kind == "unknown")
        self.unknown_score = min(normal.values(), default=0.0) - _UNKNOWN_PENALTY
        normal |= {piece.text: _USER_DEFINED_SCORE for piece in self.pieces if piece.kind == "user_defined"}
        self._scores, self._table = normal, prefix_table(normal)
        self._byte_ids = [self._ids[f"<0x{byte:02X}>"] for byte in range(256)] if self.byte_fallback else []
        self._bytes = [self._bytes_of(piece) for piece in self.pieces]
        self._cut_at_spaces = not any(SPACE_MARK in text[1:] for text in normal)
        self._remembered: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        *,
        byte_fallback: bool = False,
        control: Sequence[str] = ("<s>", "</s>"),
        normalizer: Normalizer | None = None,
        settings: TrainingSettings | None = None,
    ) -> "UnigramTokenizer":
        r"""Fit a vocabulary to text (:func:`llmcourse.tokenization.unigram_training.train_pieces`).

        Args:
            texts: A text, or texts one after the other, of which only the distinct words are kept in memory.
            vocab_size: The size of the whole vocabulary: ``<unk>``, control pieces and byte pieces included.
            byte_fallback: Add the 256 byte pieces.
            control: Pieces that no text gives, for the beginning and the end of a text for instance.
            normalizer: What is done to text first; by default nothing but that spaces become U+2581.
            settings: How to train.

        Returns:
            The tokenizer.

        Raises:
            ValueError: No text, or ``vocab_size`` too small for the characters or too large for the text.
        """
        normalizer = normalizer or Normalizer()
        words: Counter[str] = Counter()
        for text in [texts] if isinstance(texts, str) else texts:
            words.update(_WORD.findall(normalizer(_checked_text(text))))
        if words and normalizer.add_prefix_space:
            words[SPACE_MARK] += 1
        meta = meta_pieces(control, byte_fallback=byte_fallback)
        try:
            reserved = {piece.text for piece in meta}
            scores = train_pieces(words, vocab_size - len(meta), settings, reserved=reserved)
        except ValueError as error:
            raise ValueError(
                f"vocab_size={vocab_size}, of which {len(meta)} are control and byte pieces: {error}"
            ) from error
        return cls([*meta, *(Piece(text, score) for text, score in scores.items())], normalizer)

    @classmethod
    def from_scores(
        cls,
        scores: Mapping[str, float],
        *,
        byte_fallback: bool = False,
        control: Sequence[str] = (),
        normalizer: Normalizer | None = None,
    ) -> "UnigramTokenizer":
        r"""Make a tokenizer of pieces and their log-probabilities in nats; ``<unk>`` gets id 0.

        Args:
            scores: The pieces, with U+2581 for a space.
            byte_fallback: Add the 256 byte pieces.
            control: Pieces that no text gives.
            normalizer: What is done to text first.

        Returns:
            The tokenizer.

        Example:
            >>> tokenizer = UnigramTokenizer.from_scores({"▁": -2.0, "a": -1.0, "b": -1.5, "ab": -2.2})
            >>> [(tokenizer.to_pieces(ids), round(score, 1)) for ids, score in tokenizer.nbest("ab", 2)]
            [(['▁', 'ab'], -4.2), (['▁', 'a', 'b'], -4.5)]
        """
        meta = meta_pieces(control, byte_fallback=byte_fallback)
        return cls([*meta, *(Piece(text, score) for text, score in scores.items())], normalizer)

    @classmethod
    def from_sentencepiece(cls, path: str | Path) -> "UnigramTokenizer":
        r"""Read a unigram ``.model`` file; raises ValueError where it is none."""
        return cls(*read_sentencepiece(path))

    @property
    def vocab(self) -> dict[int, str]:
        """The piece of each id."""
        return {number: piece.text for number, piece in enumerate(self.pieces)}

    @property
    def vocab_size(self) -> int:
        """The number of ids."""
        return len(self.pieces)

    @property
    def byte_fallback(self) -> bool:
        """Whether the vocabulary has the 256 byte pieces."""
        return "<0x00>" in self._ids and self.pieces[self._ids["<0x00>"]].kind == "byte"

    def encode(self, text: str) -> list[int]:
        r"""Return the ids of the most probable segmentation.

        Each distinct word is segmented once and remembered, since no piece reaches across a space.

        Args:
            text: Any string that has a UTF-8 form.

        Returns:
            The ids; none for an empty text.

        Raises:
            ValueError: ``text`` holds a lone surrogate.
        """
        ids: list[int] = []
        for word in self._words(text):
            found = self._remembered.get(word)
            if found is None:
                found = self._to_ids(self._lattice(word).viterbi()[0])
                if len(self._remembered) < _REMEMBERED:
                    self._remembered[word] = found
            ids += found
        return self._join_unknown(ids)

    def encode_pieces(self, text: str) -> list[str]:
        r"""Return the pieces of the most probable segmentation, as in the vocabulary."""
        return self.to_pieces(self.encode(text))

    def sample(self, text: str, *, alpha: float = 1.0, seed: int | np.random.Generator | None = None) -> list[int]:
        r"""Draw a segmentation with probability proportional to its own to the power ``alpha``.

        Subword regularisation: a model that sees other segmentations of the same text each time it is trained on it
        becomes robust to how a word is cut (Kudo 2018, equation 8, with l = infinity). The draw is exact.

        Args:
            text: Any string that has a UTF-8 form.
            alpha: 0 makes all segmentations equally likely, 1 is the posterior, a large value gives ``encode``.
                The paper trains with 0.1 to 0.5.
            seed: A seed, or a generator that is drawn from; None for fresh randomness.

        Returns:
            The ids of the segmentation drawn.

        Raises:
            ValueError: ``alpha`` is negative or not finite, or ``text`` holds a lone surrogate.

        Example:
            >>> tokenizer = UnigramTokenizer.from_scores({"▁": -2.0, "a": -1.0, "b": -1.5, "ab": -2.2})
            >>> rng = np.random.default_rng(0)
            >>> sorted({tuple(tokenizer.to_pieces(tokenizer.sample("ab", seed=rng))) for _ in range(20)})
            [('▁', 'a', 'b'), ('▁', 'ab')]
        """
        if not (math.isfinite(alpha) and alpha >= 0):
            raise ValueError(f"alpha={alpha} must be finite and at least 0: it is the power of each probability")
        rng = np.random.default_rng(seed)
        ids: list[int] = []
        for word in self._words(text):
            ids += self._to_ids(self._lattice(word).sample(rng, alpha))
        return self._join_unknown(ids)

    def nbest(self, text: str, n: int) -> list[tuple[list[int], float]]:
        r"""Return the ``n`` best segmentations, best first, each with its log-probability in nats.

        Args:
            text: Any string that has a UTF-8 form.
            n: How many; fewer come back when there are no more.

        Returns:
            Pairs of ids and score.

        Raises:
            ValueError: ``n`` is below 1, or ``text`` holds a lone surrogate.
        """
        if n < 1:
            raise ValueError(f"n={n} must be at least 1: it is the number of segmentations")
        found = self._lattice("".join(self._words(text))).nbest(n)
        return [(self._join_unknown(self._to_ids(pieces)), score) for pieces, score in found]

    def log_likelihood(self, text: str) -> float:
        r"""Return the logarithm, in nats, of the text's probability summed over all its segmentations."""
        return sum(self._lattice(word).forward()[-1] for word in self._words(text))

    def score(self, ids: Iterable[int]) -> float:
        r"""Return the log-probability of these tokens in nats: the sum of their scores.

        ``<unk>`` counts the unknown penalty once, though it may stand for several characters; the bytes of a
        character count it together, at its first byte. Control pieces count nothing.
        """
        return sum(self._score_of(number) for number in self._checked(ids))

    def decode(self, ids: Iterable[int]) -> str:
        r"""Return the text of these tokens.

        Bytes that are no UTF-8 become U+FFFD, ``<unk>`` becomes U+2047 between spaces, control pieces nothing; the
        space that the normaliser put before the text is taken away.

        Args:
            ids: What :meth:`encode` or a model gave.

        Returns:
            The text.

        Raises:
            ValueError: An id is outside the vocabulary.
        """
        kept = [number for number in self._checked(ids) if self._bytes[number]]
        data = b"".join([self._bytes[number] for number in kept])
        if self.normalizer.add_prefix_space and kept and kept[0] != self.unknown_id:
            data = data.removeprefix(b" ")
        return data.decode("utf-8", "replace")

    def to_pieces(self, ids: Iterable[int]) -> list[str]:
        r"""Return each id's piece; raises ValueError where an id is outside the vocabulary."""
        return [self.pieces[number].text for number in self._checked(ids)]

    def save(self, path: str | Path) -> None:
        r"""Write the tokenizer as JSON; the file appears whole or not at all."""
        settings = self.normalizer
        content = {
            "type": "unigram",
            "normalizer": {
                "form": settings.form,
                "add_prefix_space": settings.add_prefix_space,
                "remove_extra_spaces": settings.remove_extra_spaces,
                "charsmap": b64encode(settings.charsmap).decode(),
            },
            "pieces": [list(piece) for piece in self.pieces],
        }
        path = Path(path)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            temporary = Path(file.name)
            try:
                json.dump(content, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                temporary.unlink()
                raise
        temporary.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "UnigramTokenizer":
        r"""Read what :meth:`save` wrote; raises ValueError where a file holds something else."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if content["type"] != "unigram":
                raise ValueError(f"its type is {content['type']!r}")
            settings = content["normalizer"]
            settings["charsmap"] = b64decode(settings["charsmap"])
            return cls([Piece(*piece) for piece in content["pieces"]], Normalizer(**settings))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{str(path)!r} is no file that UnigramTokenizer.save wrote: {error}") from error

    def _words(self, text: str) -> list[str]:
        text = _checked_text(text)
        if self.byte_fallback and not self.normalizer.charsmap:
            text = text.replace(SPACE_MARK, _LITERAL_MARK)
        text = self.normalizer(text)
        return _WORD.findall(text) if self._cut_at_spaces else [text]

    def _lattice(self, word: str) -> Lattice:
        return Lattice(word, self._table, self.unknown_score)

    def _to_ids(self, pieces: Sequence[str]) -> list[int]:
        ids: list[int] = []
        for piece in pieces:
            if piece in self._scores:
                ids.append(self._ids[piece])
            elif self._byte_ids:
                plain = {SPACE_MARK: " ", _LITERAL_MARK: SPACE_MARK}.get(piece, piece)
                ids += [self._byte_ids[byte] for byte in plain.encode()]
            else:
                ids.append(self.unknown_id)
        return ids

    def _join_unknown(self, ids: list[int]) -> list[int]:
        if self.unknown_id not in ids:
            return ids
        return [number for i, number in enumerate(ids) if not (i and number == ids[i - 1] == self.unknown_id)]

    def _checked(self, ids: Iterable[int]) -> list[int]:
        ids = list(ids)
        for number in ids:
            if not 0 <= number < len(self.pieces):
                raise ValueError(f"id {number} is outside the vocabulary of {len(self.pieces)} pieces")
        return ids

    def _bytes_of(self, piece: Piece) -> bytes:
        if piece.kind == "byte":
            return bytes([int(piece.text[3:5], 16)])
        if piece.kind == "unknown":
            return _UNKNOWN_SURFACE.encode()
        return b"" if piece.kind == "control" else piece.text.replace(SPACE_MARK, " ").encode()

    def _score_of(self, number: int) -> float:
        kind = self.pieces[number].kind
        if kind == "byte":  # every byte but those that continue a character, 10xxxxxx
            return 0.0 if self._bytes[number][0] & 0xC0 == 0x80 else self.unknown_score
        return self.unknown_score if kind == "unknown" else self._scores.get(self.pieces[number].text, 0.0)


def _checked_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"text has a lone surrogate, {text[error.start]!r} at character {error.start}") from error
    return text
