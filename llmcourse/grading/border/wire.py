"""Frames: a JSON header and raw buffers, over any channel of bytes.

A frame is the magic ``LCB1``, the header's length and the number of buffers (32 bits each), each buffer's length
(64 bits), the header, the buffers. All lengths are checked before anything is allocated, and memory grows only as
bytes arrive, so that a lying length costs nothing. Nothing is ever unpickled here.
"""

import json
import re
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Protocol

from llmcourse.grading.border.limits import BorderError, Limits

__all__ = ["Channel", "SocketChannel", "read_frame", "write_frame"]

_PREFIX = struct.Struct("!4sII")
_MAGIC = b"LCB1"
_CHUNK = 1 << 20
_to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_LONG_NUMBER = re.compile(rb"\d{400}")


class Channel(Protocol):
    """A stream of bytes to the other process. Deadlines are on ``time.monotonic()``; None waits for ever."""

    def read(self, count: int, deadline: float | None) -> bytearray:
        """Return exactly so many bytes; EOFError at the end, TimeoutError at the deadline."""
        ...

    def write(self, pieces: Sequence[bytes | bytearray | memoryview], deadline: float | None) -> None:
        """Send all pieces in order; OSError where the other side is gone, TimeoutError at the deadline."""
        ...


class SocketChannel:
    """A channel over a connected stream socket."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._ahead = bytearray()

    def _wait(self, deadline: float | None, *, write: bool = False) -> None:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        poll = select.poll()  # select() refuses file descriptors above 1023
        poll.register(self._socket, select.POLLOUT if write else select.POLLIN)
        if not poll.poll(None if left is None else left * 1000):
            raise TimeoutError

    def _receive(self, count: int, deadline: float | None) -> bytes:
        while True:
            try:
                data = self._socket.recv(count)
            except BlockingIOError:
                self._wait(deadline)
                continue
            except ConnectionError as error:
                raise EOFError from error
            if not data:
                raise EOFError
            return data

    def read(self, count: int, deadline: float | None) -> bytearray:
        """Return exactly so many bytes; a little is read ahead, since most frames are small."""
        while len(self._ahead) < count:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError  # a sender that drips must not win time with each drop
            missing = count - len(self._ahead)
            self._ahead += self._receive(min(max(missing, 1 << 16), _CHUNK), deadline)
        if len(self._ahead) == count:
            data, self._ahead = self._ahead, bytearray()
        else:
            data = self._ahead[:count]
            del self._ahead[:count]
        return data

    def write(self, pieces: Sequence[bytes | bytearray | memoryview], deadline: float | None) -> None:
        """Send all pieces in order."""
        for piece in pieces:
            view = memoryview(piece).cast("B") if len(piece) else memoryview(b"")
            while len(view):
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutError  # nor one that takes a byte at a time
                try:
                    view = view[self._socket.send(view[:_CHUNK]) :]
                except BlockingIOError:
                    self._wait(deadline, write=True)

    def close(self) -> None:
        """Close the socket; the other side reads its end."""
        self._socket.close()


def write_frame(
    channel: Channel,
    header: dict[str, Any],
    buffers: Sequence[bytes | bytearray | memoryview],
    deadline: float | None,
    limits: Limits | None = None,
) -> None:
    """Send one frame.

    Args:
        channel: Where to.
        header: What JSON can hold.
        buffers: Raw bytes that the header refers to by their index.
        deadline: On ``time.monotonic()``; None waits for ever.
        limits: Of the receiver, so that nothing is sent that it would refuse.

    Raises:
        BorderError: The header is larger than the receiver takes; nothing was sent.
    """
    text = _to_json(header).encode("ascii")
    if limits is not None and (len(text) > limits.header_bytes or _marks(text) > 2 * limits.elements):
        raise BorderError(f"holds too many parts to cross: {len(text):,} bytes of structure")
    lengths = struct.pack(f"!{len(buffers)}Q", *map(len, buffers))
    start = _PREFIX.pack(_MAGIC, len(text), len(buffers)) + lengths + text
    small = sum(map(len, buffers)) < 1 << 16
    channel.write([b"".join([start, *buffers])] if small else [start, *buffers], deadline)


def read_frame(channel: Channel, limits: Limits, deadline: float | None) -> tuple[dict[str, Any], list[bytearray]]:
    """Receive one frame.

    Args:
        channel: Where from.
        limits: What is accepted at most.
        deadline: On ``time.monotonic()``; None waits for ever.

    Returns:
        The header and the buffers.

    Raises:
        BorderError: The frame is malformed or too large.
    """
    magic, header_bytes, count = _PREFIX.unpack(channel.read(_PREFIX.size, deadline))
    if magic != _MAGIC:
        raise BorderError(
            "your code's process sent bytes that are no answer; does your code write to a file or socket?"
        )
    if header_bytes > limits.header_bytes or count > limits.buffers:
        raise BorderError(
            f"your code gave back too much: {header_bytes:,} bytes of structure and {count:,} arrays; "
            f"at most {limits.header_bytes:,} and {limits.buffers:,} can be taken"
        )
    lengths = struct.unpack(f"!{count}Q", channel.read(8 * count, deadline))
    if sum(lengths) > limits.frame_bytes:
        raise BorderError(f"your code gave back {sum(lengths):,} bytes; at most {limits.frame_bytes:,} can be taken")
    header = _parse(bytes(channel.read(header_bytes, deadline)), limits)
    return header, [channel.read(length, deadline) for length in lengths]


def _parse(text: bytes, limits: Limits) -> dict[str, Any]:
    # Every element costs a bracket or a comma, so that counting them bounds the memory before parsing takes it.
    if _marks(text) > 2 * limits.elements:
        raise BorderError(f"your code gave back more than {limits.elements:,} elements")
    if _LONG_NUMBER.search(text):
        raise BorderError("your code's process sent a malformed number")
    try:
        header = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise BorderError("your code gave back a value that is nested too deeply") from None
    except ValueError:
        raise BorderError("your code's process sent an answer that cannot be read") from None
    if type(header) is not dict:
        raise BorderError("your code's process sent an answer that cannot be read")
    return header


def _marks(text: bytes) -> int:
    return sum(text.count(mark) for mark in (b",", b"[", b"{"))


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
