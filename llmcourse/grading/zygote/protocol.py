"""What goes over the socket between a server and those who ask it for forks; both ends are trusted.

One connection is one fork. The request is a length and JSON, with open descriptors beside the length. The server
answers in lines of JSON: the process's number, later its exit code and the limit that it hit. Each further byte to
the server is the number of a signal; closing the connection kills the fork.
"""

import array
import json
import os
import socket
import struct
from typing import Any, Final

__all__ = ["MOST_DESCRIPTORS", "receive_request", "send_request"]

MOST_DESCRIPTORS: Final = 16
_LENGTH: Final = struct.Struct("!I")


def send_request(connection: socket.socket, request: dict[str, Any], descriptors: dict[str, int]) -> None:
    """Ask for a fork that gets some open descriptors, each known by a name.

    Args:
        connection: To the server.
        request: What JSON can hold.
        descriptors: Names and numbers; the server has copies when this returns.
    """
    text = json.dumps(request | {"descriptors": list(descriptors)}).encode()
    socket.send_fds(connection, [_LENGTH.pack(len(text))], list(descriptors.values()))
    connection.sendall(text)


def receive_request(connection: socket.socket) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a request and its descriptors by name; EOFError where the other side is gone.

    Args:
        connection: From who asks.

    Returns:
        The request, and the numbers that the descriptors have here.

    Raises:
        EOFError: The connection was closed.
    """
    size = array.array("i", [0]).itemsize * MOST_DESCRIPTORS
    prefix, beside, _, _ = connection.recvmsg(_LENGTH.size, socket.CMSG_SPACE(size), socket.MSG_CMSG_CLOEXEC)
    numbers = array.array("i")
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    try:
        (length,) = _LENGTH.unpack(prefix + _exactly(connection, _LENGTH.size - len(prefix)))
        request = json.loads(_exactly(connection, length))
        return request, dict(zip(request["descriptors"], numbers, strict=True))
    except BaseException:
        for number in numbers:
            os.close(number)
        raise


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
