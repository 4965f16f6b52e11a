"""A warm process from which the tests fork students' processes; not collected by pytest.

It gets a connection and a message over a socket, forks, and answers with the process id. The child runs the given
source and then serves the border, or, where the message says so, runs hostile code on the bare connection.
"""

import array
import contextlib
import json
import os
import signal
import socket
import struct
import sys

import torch

from llmcourse.grading.border import Limits, SocketChannel, serve


def frame(header, *buffers, magic=b"LCB1", lengths=None, header_bytes=None, count=None) -> bytes:
    """Build a frame, with lies where a test asks for them."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    lengths = list(map(len, buffers)) if lengths is None else lengths
    prefix = struct.pack("!4sII", magic, len(text) if header_bytes is None else header_bytes, count or len(lengths))
    return prefix + struct.pack(f"!{len(lengths)}Q", *lengths) + text + b"".join(buffers)


def question(connection: socket.socket) -> dict:
    """Read the judge's next question; what it sends here is small and has no buffers that matter."""
    data = b""
    while len(data) < 12:
        data += connection.recv(1 << 20)
    _, size, count = struct.unpack("!4sII", data[:12])
    lengths = 8 * count
    while len(data) < 12 + lengths + size:
        data += connection.recv(1 << 20)
    return json.loads(data[12 + lengths : 12 + lengths + size])


def student(connection: socket.socket, message: dict) -> None:
    """Be a student's process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    namespace = {"__name__": "__main__"}
    if message["hostile"]:
        namespace |= {"connection": connection, "frame": frame, "question": question, "array": array}
        exec(message["source"], namespace)
        return
    for source in message["setup"], message["source"]:
        exec(compile(source, "<answer>", "exec"), namespace)
    serve(SocketChannel(connection), namespace, Limits(**message["limits"]))


def main() -> None:
    """Fork a child for each connection that arrives."""
    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(fileno=int(sys.argv[1]))
    while True:
        data, descriptors, _, _ = socket.recv_fds(server, 1 << 20, 1)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            server.close()
            with contextlib.suppress(BrokenPipeError, ConnectionError):
                student(socket.socket(fileno=descriptors[0]), json.loads(data))
            os._exit(0)
        os.close(descriptors[0])
        server.send(str(pid).encode())


if __name__ == "__main__":
    main()
