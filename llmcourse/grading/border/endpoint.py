"""One end of a border: asks the other end, answers it, and nests the two.

The protocol is half-duplex: one side asks and waits, and while it waits it answers what the other side asks of it
(callbacks). Each question has a number; an answer to no open question is dropped. Both ends are this class; what
differs is trust, and that is ``hostile_here``.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from llmcourse.grading.border import changes, exceptions, seeds
from llmcourse.grading.border.autograd import Graphs, attach
from llmcourse.grading.border.codec import BorderDecoder, BorderEncoder
from llmcourse.grading.border.handles import Handles
from llmcourse.grading.border.limits import BorderError, Limits
from llmcourse.grading.border.operations import ALIASED, perform
from llmcourse.grading.border.output import Capture
from llmcourse.grading.border.shared import SharedTensors
from llmcourse.grading.border.wire import Channel, read_frame, write_frame

__all__ = ["Endpoint"]


class Endpoint:
    """One end of a border.

    Args:
        channel: To the other end.
        namespace: In which the names of this side stand.
        limits: What is accepted.
        hostile_here: Whether this is the student's process, which does as it is told and checks nothing.
        interrupt: Called when a call runs out of time; should stop it as Ctrl-C does.
    """

    def __init__(
        self,
        channel: Channel,
        namespace: dict[str, Any],
        limits: Limits | None = None,
        *,
        hostile_here: bool = False,
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.namespace, self.hostile_here = namespace, hostile_here
        self.handles, self.shared = Handles(self.limits), SharedTensors(self.limits)
        self.graphs = Graphs(self.limits.handles)
        self.declared: set[str] = set()
        self.records: dict[str, type] = {}
        self.reseeded: set[str] = set()
        self.deadline: float | None = None
        self.broken = ""
        self.mutating: set[str] = set()
        self.may_mutate: frozenset[str] | None = None
        self._channel, self._interrupt = channel, interrupt
        self._asked, self._depth, self._lock = 0, 0, threading.RLock()
        self._freed_graphs: list[int] = []
        self._raised: dict[int, BaseException] = {}

    # What the parts of the border ask of its end.

    def record_classes(self) -> dict[str, type]:
        """Return the classes whose objects cross by value, by name."""
        return self.records

    @property
    def known_exceptions(self) -> dict[str, type]:
        """The exception classes that this side's cells define, by name."""
        found = {name: value for name, value in self.namespace.items() if isinstance(value, type)}
        return {name: value for name, value in found.items() if issubclass(value, BaseException)}

    def may_ask(self, declared: str | None, operation: str) -> bool:
        """Return whether an object of the other side may answer an operation that compares or computes."""
        return True

    def fields_of(self, declared: str | None) -> tuple[str, ...] | None:
        """Return the fields by which objects of a class are compared here, or None."""
        return None

    def join_graph(self, number: int, leaves: list[Any], outputs: list[Any]) -> list[Any]:
        """Return results of the other side that gradients flow through."""

        def ask(*args: Any) -> Any:
            return self.request("backward", "products", args)

        return attach(number, leaves, outputs, self._freed_graphs, ask)

    # Asking.

    def request(self, label: str, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> Any:
        """Ask the other side, and return its answer.

        Args:
            label: What the student would call it, for messages.
            verb: What to do.
            args: With what; objects of the other side are recognised.
            kwargs: Of a call.

        Returns:
            A value, or a proxy of what stays on the other side.

        Raises:
            BorderError: Something did not cross, or no answer came in time.
            Exception: Whatever the other side's code raised.
        """
        with self._lock:
            if self.broken:
                raise BorderError(self.broken)
            if self._depth >= self.limits.callback_depth:
                raise BorderError(f"`{label}` and the test call each other more than {self._depth} levels deep")
            self._depth += 1
            try:
                return self._ask(label, verb, args, kwargs or {})
            finally:
                self._depth -= 1
                if not self._depth:
                    self._raised.clear()

    def _ask(self, label: str, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        encoder = BorderEncoder(self)
        try:
            set_here = {} if self.hostile_here else seeds.current(self.reseeded)
            switches = {name: encoder.encode(value) for name, value in set_here.items()}
            body = [encoder.encode(arg) for arg in args], {name: encoder.encode(arg) for name, arg in kwargs.items()}
        except BorderError as error:
            raise BorderError(f"an argument of `{label}` cannot be passed on: {error}") from None
        self._asked += 1
        header = {"q": self._asked, "v": verb, "b": body, "s": switches, **self._news(encoder)}
        deadline = self._until()
        try:
            self._send(header, encoder, deadline)
            answer, buffers = self._await(self._asked, label, deadline)
        except (EOFError, OSError) as error:
            raise self._lost(label, error) from None
        return self._accept(label, answer, BorderDecoder(self, buffers, encoder.kept, label))

    def _news(self, encoder: BorderEncoder) -> dict[str, Any]:
        """Return what goes along with every message: changed tensors, and what is no longer needed."""
        news = {
            "t": self.shared.collect(encoder),
            "d": self.shared.prune(),
            "h": self.handles.take_released(),
            "g": self._freed_graphs[:],
        }
        self._freed_graphs.clear()
        return {key: value for key, value in news.items() if value}

    def _until(self) -> float | None:
        if self.hostile_here:
            return None
        latest = time.monotonic() + self.limits.call_s
        return latest if self.deadline is None else min(latest, self.deadline)

    def _lost(self, label: str, error: BaseException) -> BorderError:
        if isinstance(error, TimeoutError):
            self.broken = f"`{label}` did not answer in time and could not be stopped"
        else:
            self.broken = "your code's process has ended: it ran out of memory, or the code ended it"
        return BorderError(self.broken)

    def _send(self, header: dict[str, Any], encoder: BorderEncoder, deadline: float | None) -> None:
        total = sum(map(len, encoder.buffers))
        if total > self.limits.frame_bytes or len(encoder.buffers) > self.limits.buffers:
            raise BorderError(
                f"holds {total:,} bytes in {len(encoder.buffers):,} parts; at most {self.limits.frame_bytes:,} bytes "
                f"in {self.limits.buffers:,} parts can cross"
            )
        write_frame(self._channel, header, encoder.buffers, deadline, self.limits)

    def _await(self, number: int, label: str, deadline: float | None) -> tuple[dict[str, Any], list[bytearray]]:
        """Return the answer to a question; answers what the other side asks meanwhile."""
        while True:
            try:
                header, buffers = read_frame(self._channel, self.limits, deadline)
            except TimeoutError:
                self._stop(number, label)
                taken = self.limits.call_s
                raise BorderError(
                    f"`{label}` did not answer within {taken:g} s: look for a loop that never ends"
                ) from None
            except BorderError as error:
                self.broken = str(error)
                raise
            if type(header.get("q")) is int:
                self._answer(header, buffers)
            elif header.get("r") == number and type(header["r"]) is int:
                return header, buffers

    def _stop(self, number: int, label: str) -> None:
        """Interrupt a call that takes too long, and wait a moment for the other side to be free again."""
        deadline = time.monotonic() + self.limits.grace_s
        try:
            while self._interrupt is not None:
                self._interrupt()
                header, _ = read_frame(self._channel, self.limits, deadline)
                if header.get("r") == number:
                    return
        except (BorderError, EOFError, OSError):
            pass
        self.broken = f"`{label}` did not answer in time and could not be stopped"

    def _accept(self, label: str, header: dict[str, Any], decoder: BorderDecoder) -> Any:
        """Take in an answer: output, changes in place, and the result or the error."""
        self._output(header.get("out"))
        try:
            self._take_news(header, decoder)
            decoder.graph(header.get("graph"))
            self._repeat_changes(label, header.get("c"), decoder)
            if "e" not in header:
                return decoder.decode(header.get("b"))
            error = self._raised.get(header.get("token", 0)) or exceptions.rebuild(header["e"], self.known_exceptions)
        except BorderError as problem:
            raise BorderError(f"`{label}`: {problem}") from None
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError) as problem:
            raise BorderError(f"what `{label}` gave back cannot be read") from problem
        if isinstance(error, BorderError):
            raise BorderError(f"`{label}` {error}")
        if self.hostile_here:
            error._border_token = header.get("token", 0)  # pyright: ignore[reportAttributeAccessIssue]
        raise error

    def _take_news(self, header: dict[str, Any], decoder: BorderDecoder) -> None:
        self.shared.accept(decoder, header.get("t", ()))
        self.shared.drop(header.get("d"))
        self.handles.drop(header.get("h"))
        self.graphs.drop(header.get("g"))

    def _repeat_changes(self, label: str, changed: Any, decoder: BorderDecoder) -> None:
        known = len(decoder.memo)
        for number, new in changed or ():
            if type(number) is not int or not 0 <= number < known:
                raise decoder.malformed()
            changes.apply(decoder.memo[number], decoder.decode(new))
        if changed or self.shared.mutated:
            self.shared.mutated = False
            self.mutating.add(label)
            if self.may_mutate is not None and label not in self.may_mutate:
                raise BorderError("it changes its arguments in place, which the task does not ask for")

    def _output(self, output: Any) -> None:
        """Take what the other side's code printed; the judge overrides this."""

    # Answering.

    def serve_one(self) -> bool:
        """Answer one question of the other side; returns whether to go on."""
        try:
            header, buffers = read_frame(self._channel, self.limits, None)
        except (EOFError, OSError):
            return False
        if header.get("v") == "leave":
            return False
        try:
            self._answer(header, buffers)
        except OSError:
            return False
        return True

    def _answer(self, header: dict[str, Any], buffers: list[bytearray]) -> None:
        decoder = BorderDecoder(self, buffers)
        answer: dict[str, Any] = {"r": header["q"]}
        encoder, capture = None, Capture(self.limits.output_chars)
        self._depth += 1
        try:
            if self._depth > self.limits.callback_depth:
                raise BorderError("is called back by the test without end")
            with capture if self.hostile_here else contextlib.nullcontext():
                result, before = self._perform(header, decoder)
            encoder = BorderEncoder(self, decoder.memo, answering=True, aliased=header.get("v") in ALIASED)
            answer["c"] = _changed(encoder, before)
            if isinstance(result, BaseException):
                answer |= self._describe(result)
            else:
                answer["b"] = encoder.encode(result)
            answer["graph"] = encoder.graph()
            answer |= self._news(encoder) | {"out": capture.take()}
            self._send(answer, encoder, self._until())
        except Exception as error:
            bare = {"r": header["q"], "e": exceptions.describe(error), "out": capture.take()}
            self._send(bare, BorderEncoder(self), self._until())
        finally:
            self._depth -= 1

    def _perform(self, header: dict[str, Any], decoder: BorderDecoder) -> tuple[Any, list[Any]]:
        """Return the result of a question, or the exception in it, and the arguments as they were before."""
        try:
            self._take_news(header, decoder)
            sent = header.get("s", {}) if self.hostile_here else {}
            switches = {name: decoder.decode(value) for name, value in sent.items()}
            args, kwargs = header["b"]
            args = [decoder.decode(arg) for arg in args]
            kwargs = {name: decoder.decode(arg) for name, arg in kwargs.items()}
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, RuntimeError) as error:
            if self.hostile_here:
                return error, []
            raise BorderError("your code's process asked for something that cannot be read") from error
        before = [(value, changes.content(value)) for value in decoder.memo]
        raised: BaseException = BorderError("nothing was done")
        try:
            with seeds.apply(switches):
                return perform(self, header.get("v"), args, kwargs), before
        except BorderError:
            raise
        except BaseException as error:
            raised = error
        if not self.hostile_here and not isinstance(raised, Exception):
            raise raised
        return raised, before

    def _describe(self, error: BaseException) -> dict[str, Any]:
        if self.hostile_here:
            return {"e": exceptions.describe(error), "token": getattr(error, "_border_token", 0)}
        self._raised[len(self._raised) + 1] = error
        return {"e": {**exceptions.describe(error), "where": ""}, "token": len(self._raised)}


def _changed(encoder: BorderEncoder, before: list[tuple[Any, Any]]) -> list[Any]:
    """Return the JSON of the arguments that were changed in place."""
    return [
        [number, encoder.encode(changes.copied(value))]
        for number, (value, content) in enumerate(before)
        if changes.is_changed(value, content)
    ]
