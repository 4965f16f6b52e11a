"""From tokens to text that can be shown: whole characters, and nothing that a stop sequence would take back."""

import codecs
from collections.abc import Sequence

from llmcourse.serving.text_codec import TextCodec

__all__ = ["TextStream"]


class TextStream:
    r"""The text of one answer, piece by piece.

    A token may end within a character, and a text may end with what could become a stop sequence. Both are held back
    until it is known what they are, so that the pieces together are exactly the whole text up to the stop sequence.

    Args:
        codec: The model's.
        stop: Sequences of characters, at the first of which the text ends; it is no part of the text.

    Attributes:
        stopped: Whether a stop sequence was met.

    Example:
        >>> from llmcourse.serving.text_codec import BPECodec
        >>> from llmcourse.tokenization import BPETokenizer
        >>> stream = TextStream(BPECodec(BPETokenizer({i: bytes([i]) for i in range(256)}, [])), stop=["END"])
        >>> [stream.feed(byte) for byte in "aéE, END b".encode()]
        ['a', '', 'é', '', 'E,', ' ', '', '', '', '', '']
        >>> stream.stopped, stream.finish()
        (True, '')
    """

    def __init__(self, codec: TextCodec, *, stop: Sequence[str] = ()) -> None:
        self._codec, self._stop = codec, tuple(stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held, self._first, self.stopped = "", True, False

    def feed(self, token: int) -> str:
        """Take a token.

        Args:
            token: Its id.

        Returns:
            What can be shown by now beyond what was returned before.
        """
        piece = self._codec.piece(token, first=self._first)
        self._first = self._first and not piece
        return self._show(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return what was held back, where no more tokens come; half a character becomes U+FFFD."""
        shown = self._show(self._decoder.decode(b"", final=True))
        rest, self._held = self._held, ""
        return shown if self.stopped else shown + rest

    def _show(self, new: str) -> str:
        if self.stopped:
            return ""
        text = self._held + new
        places = [place for place in (text.find(sequence) for sequence in self._stop) if place >= 0]
        if places:
            self.stopped, self._held = True, ""
            return text[: min(places)]
        n_held = max((_overlap(text, sequence) for sequence in self._stop), default=0)
        self._held = text[len(text) - n_held :]
        return text[: len(text) - n_held]


def _overlap(text: str, sequence: str) -> int:
    """Return how many of the last characters of a text are the beginning of a sequence."""
    return next((n for n in range(min(len(text), len(sequence) - 1), 0, -1) if text.endswith(sequence[:n])), 0)
