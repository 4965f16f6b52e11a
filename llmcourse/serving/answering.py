"""One answer, from the engine's thread to whoever awaits it: text, why it ended, and how long it was."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from llmcourse.inference import TokenEvent
from llmcourse.serving.engine_thread import EngineFailed, EngineThread, ShuttingDown, Ticket
from llmcourse.serving.openai_requests import Ask
from llmcourse.serving.openai_responses import Reason
from llmcourse.serving.text_codec import TextCodec
from llmcourse.serving.text_stream import TextStream

__all__ = ["Answering", "Piece"]


@dataclass(frozen=True)
class Piece:
    r"""What there is to show by now.

    Attributes:
        text: New text, which may be empty where the answer ends.
        reason: Why it ended; None while it has not.
        n_new: Tokens so far.
    """

    text: str
    reason: Reason | None
    n_new: int


class Answering:
    r"""An answer that is being written. Made, it is in the engine's queue; whoever leaves :meth:`pieces` cancels it.

    Args:
        thread: The engine's.
        codec: The model's.
        ask: What is asked.

    Raises:
        ShuttingDown: The engine takes no more.
        QueueFull: As many run or wait as may.
        ValueError: The request could never be served.
    """

    def __init__(self, thread: EngineThread, codec: TextCodec, ask: Ask) -> None:
        loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[TokenEvent | EngineFailed] = asyncio.Queue()
        self._thread, self._text, self._n_new = thread, TextStream(codec, stop=ask.stop), 0
        self._ticket: Ticket = thread.submit(
            ask.prompt, ask.params, lambda event: loop.call_soon_threadsafe(self._events.put_nowait, event) and None
        )

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        r"""Write the answer.

        Yields:
            Pieces of text, of which the last has a reason.

        Raises:
            EngineFailed: The model raised an error.
            ShuttingDown: The server could not wait until the answer was complete.
        """
        try:
            while True:
                piece = self._piece(await self._events.get())
                if piece.text or piece.reason is not None:
                    yield piece
                if piece.reason is not None:
                    return
        finally:
            self.cancel()

    async def whole(self) -> Piece:
        """Return the complete answer as one piece."""
        pieces = [piece async for piece in self.pieces()]
        return Piece("".join(piece.text for piece in pieces), pieces[-1].reason, pieces[-1].n_new)

    def cancel(self) -> None:
        """Give the answer up; after its end this does nothing."""
        self._thread.cancel(self._ticket)

    def _piece(self, event: TokenEvent | EngineFailed) -> Piece:
        if isinstance(event, EngineFailed):
            raise event
        if event.token is None or event.finish_reason == "cancelled":
            raise ShuttingDown("the server shut down before the answer was complete: ask another one")
        self._n_new += 1
        text = self._text.feed(event.token)
        if self._text.stopped:
            return Piece(text, "stop", self._n_new)
        if event.finish_reason is not None:
            text += self._text.finish()
        return Piece(text, event.finish_reason, self._n_new)
