"""An engine in a thread of its own, so that a server can go on listening while the model computes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from llmcourse.inference import Engine, QueueFull, SamplingParams, TokenEvent

__all__ = ["EngineFailed", "EngineThread", "ShuttingDown", "Ticket"]


class ShuttingDown(RuntimeError):
    """No more requests are taken: those that run are finished first, then the engine ends."""


class EngineFailed(RuntimeError):
    """The model raised an error in a step; the requests that took part in it are lost."""


Listener = Callable[[TokenEvent | EngineFailed], None]


@dataclass(eq=False)
class Ticket:
    r"""A request that was handed to the thread.

    Attributes:
        prompt: Ids.
        params: How tokens are chosen.
        listener: Told of each event, in the engine's thread: it must not block.
        request_id: The engine's number for it; None before it got there and after it ended.
    """

    prompt: list[int]
    params: SamplingParams
    listener: Listener
    request_id: int | None = None


class EngineThread:
    r"""Takes requests from any thread, and tells each one's listener what becomes of it.

    An engine is not made for several threads. Here one thread owns it, and does between two steps what others have
    asked for meanwhile. Use it as a context manager, or call :meth:`close`.

    Args:
        engine: Nobody else may use it from now on.

    Example:
        >>> import queue, torch
        >>> from llmcourse.architecture import ModelConfig, Transformer
        >>> model = Transformer(ModelConfig(vocab_size=50, d_model=32, n_layers=2, n_heads=4)).eval()
        >>> events = queue.Queue()
        >>> with EngineThread(Engine(model, n_blocks=16)) as thread:
        ...     _ = thread.submit([1, 2, 3], SamplingParams(max_new_tokens=2), events.put)
        >>> [events.get().finish_reason for _ in range(2)]
        [None, 'length']
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._changed = threading.Condition()
        self._commands: list[Callable[[], None]] = []
        self._tickets: dict[int, Ticket] = {}  # by the engine's number; the thread's alone
        self._n_open = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def n_open(self) -> int:
        """Requests that run or wait."""
        return self._n_open

    def submit(self, prompt: Sequence[int], params: SamplingParams, listener: Listener) -> Ticket:
        r"""Hand over a request.

        Args:
            prompt: Ids, at least one.
            params: How tokens are chosen.
            listener: Told of each event, and of an error that ended it.

        Returns:
            What :meth:`cancel` takes.

        Raises:
            ShuttingDown: The thread takes no more.
            QueueFull: As many run or wait as may.
            ValueError: The request could never be served.
        """
        self.engine.check(prompt, params)
        ticket, limit = Ticket(list(prompt), params, listener), self.engine.max_requests
        with self._changed:
            if self._closing:
                raise ShuttingDown("the server is shutting down: ask another one")
            if limit is not None and self._n_open >= limit:
                raise QueueFull(f"{self._n_open} requests run or wait already: no more than {limit} may")
            self._n_open += 1
            self._commands.append(partial(self._submit, ticket))
            self._changed.notify()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """End a request, wherever it is. Its listener hears no more of it, but for what is on its way.

        Args:
            ticket: It may have ended already.
        """
        with self._changed:
            self._commands.append(partial(self._cancel, ticket))
            self._changed.notify()

    def close(self, *, timeout_s: float | None = None) -> None:
        r"""Take no more requests, finish those that there are, and end the thread.

        Args:
            timeout_s: Seconds to wait at most; what has not ended by then is cancelled. None waits.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            with self._changed:
                self._commands.append(self._cancel_all)
                self._changed.notify()
            self._thread.join()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, after what runs has ended; at once where an error is on its way."""
        self.close(timeout_s=None if error is None else 0.0)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._commands or self.engine.has_work or self._closing)
                commands, self._commands = self._commands, []
                if self._closing and not commands and not self.engine.has_work:
                    return
            for command in commands:
                command()
            if self.engine.has_work:
                self._step()

    def _step(self) -> None:
        try:
            events = self.engine.step()
        except Exception as error:
            # Which request is to blame cannot be told, and to try again would fail again.
            failure = EngineFailed(f"{type(error).__name__}: {error}")
            for ticket in list(self._tickets.values()):
                self._tell(ticket, failure)
                self._cancel(ticket)
            return
        for event in events:
            ticket = self._tickets.get(event.request_id)
            if ticket is None:
                continue
            if event.finish_reason is not None:
                self._forget(ticket)
            self._tell(ticket, event)

    def _tell(self, ticket: Ticket, event: TokenEvent | EngineFailed) -> None:
        try:
            ticket.listener(event)
        except Exception:  # whoever listened is gone
            self._cancel(ticket)

    def _submit(self, ticket: Ticket) -> None:
        try:
            ticket.request_id = self.engine.submit(ticket.prompt, ticket.params)
        except Exception as error:  # it was checked before, but a thread that ends would leave all others waiting
            with self._changed:
                self._n_open -= 1
            self._tell(ticket, EngineFailed(f"{type(error).__name__}: {error}"))
            return
        self._tickets[ticket.request_id] = ticket

    def _cancel(self, ticket: Ticket) -> None:
        if ticket.request_id is not None:
            self.engine.cancel(ticket.request_id)
            self._forget(ticket)

    def _cancel_all(self) -> None:
        for request_id, ticket in list(self._tickets.items()):
            self._cancel(ticket)
            self._tell(ticket, TokenEvent(request_id=request_id, token=None, finish_reason="cancelled"))

    def _forget(self, ticket: Ticket) -> None:
        assert ticket.request_id is not None
        del self._tickets[ticket.request_id]
        ticket.request_id = None
        with self._changed:
            self._n_open -= 1
