r"""Cut a stream of text into parts that can be tokenised one by one, as if the whole were there.

Text that arrives in chunks may be torn anywhere: in the middle of a word, of white space whose pre-token depends on
what follows it, of a special token. So a part is given out only once nothing that is still to come can change its
pre-tokens; what is left waits for the next chunk. Memory holds one part and the longest pre-token, not the text.
"""

from collections.abc import Iterable, Iterator, Sequence

from llmcourse.tokenization.patterns import cut_position
from llmcourse.tokenization.special import find_special

__all__ = ["split_stream"]


def split_stream(
    chunks: Iterable[str], special_tokens: Sequence[str], pattern: str, *, part_length: int = 1 << 16
) -> Iterator[tuple[str, bool]]:
    r"""Cut a stream into special tokens and parts of ordinary text, whose pre-tokens are those of the whole.

    Args:
        chunks: The text in pieces of any length.
        special_tokens: The special tokens to find; each ends the text before it.
        pattern: The regular expression of the pre-tokens. If it is none of the named ones, nothing is known of where
            it may be cut, and each stretch between special tokens is held whole.
        part_length: The characters to collect before cutting; a part has about this length.

    Yields:
        Each part, and whether it is a special token. No part is empty; joined, they are the text.

    Raises:
        ValueError: A chunk is no str.

    Cost: each character is looked at once, however long a pre-token grows.

    Example:
        >>> from llmcourse.tokenization.patterns import GPT2_PATTERN
        >>> list(split_stream(["one t", "wo<|en", "d|>three"], ["<|end|>"], GPT2_PATTERN, part_length=4))
        [('one two', False), ('<|end|>', True), ('three', False)]
    """
    buffer = ""
    looked = 0  # no certain border stands up to here
    # A special token that begins before the last characters of the buffer is all there, and so is any longer one.
    held = max((len(token) for token in special_tokens), default=1) - 1
    for grown in _gather(chunks, part_length):
        # What waits is at least doubled before it is looked at again, so a run of a million letters costs no square.
        buffer += grown
        if len(buffer) < 2 * looked:
            continue
        done, certain = 0, max(len(buffer) - held, 0)
        for at, token in find_special(buffer, special_tokens, 0, certain):
            if at > done:
                yield buffer[done:at], False
            yield token, True
            done = at + len(token)
        certain = max(certain, done)
        cut = cut_position(buffer[:certain], max(done, looked - 1), pattern)
        if cut is not None:
            yield buffer[done:cut], False
            done = cut
        buffer = buffer[done:]
        looked = certain - done
    start = 0
    for at, token in find_special(buffer, special_tokens):
        if at > start:
            yield buffer[start:at], False
        yield token, True
        start = at + len(token)
    if start < len(buffer):
        yield buffer[start:], False


def _gather(chunks: Iterable[str], length: int) -> Iterator[str]:
    """Join short chunks and cut long ones, so that each but the last has about ``length`` characters."""
    waiting: list[str] = []
    size = 0
    for chunk in [chunks] if isinstance(chunks, str) else chunks:
        if not isinstance(chunk, str):
            raise ValueError(f"the stream holds {chunk!r:.80}, a {type(chunk).__name__}: every chunk must be a str")
        for start in range(0, len(chunk), length):
            waiting.append(chunk[start : start + length])
            size += len(waiting[-1])
            if size >= length:
                yield "".join(waiting)
                waiting, size = [], 0
    yield "".join(waiting)
