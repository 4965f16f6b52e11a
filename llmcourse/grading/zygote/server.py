"""The warm server: imports what exercises use, and forks a process for whoever asks.

It stays single-threaded, since a fork copies one thread only and the locks of the others as they are: no ZeroMQ
context, no event loop, no IPython application here. Garbage collection is frozen before the first fork, so that a
fork's collector does not touch, and thereby copy, the pages that it shares. Nothing secret may be in this memory: each
fork inherits it.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmcourse.grading.zygote.forked import ROLES, Fork, become
from llmcourse.grading.zygote.large_pages import collapse
from llmcourse.grading.zygote.protocol import receive_request

__all__ = ["main"]

_REPORT_BYTES: Final = 4096


@dataclass(kw_only=True)
class _Child:
    """A fork, as its parent sees it: who asked, and where its watcher tells the limit that it hit."""

    connection: socket.socket
    pid: int
    exited: int  # a descriptor that becomes readable when it has ended
    report: int


class _Server:
    def __init__(self, listener: socket.socket, alive: int, *, role: str, isolated: bool) -> None:
        self.listener, self.role, self.isolated = listener, role, isolated
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(alive, selectors.EVENT_READ, sys.exit)  # closed: whoever started this is gone

    def serve(self) -> None:
        """Answer until the process that started it is gone."""
        while True:
            for key, _ in self.selector.select():
                key.data()

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        try:
            request, descriptors = receive_request(connection)
        except (EOFError, OSError, ValueError):
            connection.close()
            return
        readable, writable = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(readable)
            become(Fork(self.role, request, descriptors, isolated=self.isolated, report=writable))
        for number in (writable, *descriptors.values()):
            os.close(number)
        child = _Child(connection=connection, pid=pid, exited=os.pidfd_open(pid), report=readable)
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.obey(child))
        self.selector.register(child.exited, selectors.EVENT_READ, lambda: self.bury(child))
        _tell(connection, {"pid": pid})

    def obey(self, child: _Child) -> None:
        """Send the signals that were asked for; kill the fork when nobody holds its connection any more."""
        try:
            numbers = child.connection.recv(64)
        except OSError:
            numbers = b""
        if not numbers:
            self.selector.unregister(child.connection)
        for number in numbers or (signal.SIGKILL,):
            self.signal(child, number)

    def signal(self, child: _Child, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, ValueError):
            if self.isolated:  # the watcher passes it on, and its death is that of all
                os.kill(child.pid, number)
            else:
                os.killpg(child.pid, number)

    def bury(self, child: _Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        if not self.isolated:
            self.signal(child, signal.SIGKILL)  # what the group has left behind
        self.selector.unregister(child.exited)
        os.close(child.exited)
        os.set_blocking(child.report, False)
        said = ""
        with contextlib.suppress(BlockingIOError):
            said = os.read(child.report, _REPORT_BYTES).decode(errors="replace")
        os.close(child.report)
        _tell(child.connection, {"exit": os.waitstatus_to_exitcode(status), "said": said})
        with contextlib.suppress(KeyError):
            self.selector.unregister(child.connection)
        child.connection.close()


def _tell(connection: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # who asked is gone, which the next read finds too
        connection.sendall(json.dumps(message).encode() + b"\n")


def _warm(role: str, preload: Iterable[str]) -> None:
    for name in preload:
        with contextlib.suppress(ImportError):  # an exercise that needs it will say so
            importlib.import_module(name)
    if "numpy" in sys.modules:
        importlib.import_module("numpy.random")  # which numpy imports when it is first used, and each fork reseeds it
    importlib.import_module(ROLES[role]).warm_up()
    threads = Path("/proc/self/task")
    if threads.is_dir() and (count := len(list(threads.iterdir()))) != 1:
        raise RuntimeError(f"importing {', '.join(preload)} started {count - 1} threads, which a fork would lose")
    gc.collect()
    gc.freeze()
    collapse()


def main() -> None:
    """Serve as the first argument says, in JSON: the descriptor to listen on, the role, and what to import."""
    settings = json.loads(sys.argv[1])
    listener = socket.socket(fileno=settings["listen"])
    _warm(settings["role"], settings["preload"])
    _Server(listener, settings["alive"], role=settings["role"], isolated=settings["isolated"]).serve()


if __name__ == "__main__":
    main()
