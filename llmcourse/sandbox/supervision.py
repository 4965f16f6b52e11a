"""Looking after one running program: feed it, read it, kill it at the first limit, and say what came of it.

Not covered: whether the program's output is true. ``limit`` names limits that this process saw hit (wall, cpu, memory,
output) with certainty, and those that the kernel enforced inside from what the program wrote last, which it may fake.
"""

import contextlib
import os
import re
import select
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from typing import IO, Final, Literal

from llmcourse.sandbox.limits import Limits
from llmcourse.sandbox.usage import Usage, exceeded, tree_usage

__all__ = ["LimitName", "Outcome", "Supervision"]

LimitName = Literal["wall", "cpu", "memory", "output", "processes", "file"]
_LOOK_S: Final = 0.05
_CHUNK: Final = 65536
_GONE_S: Final = 10
# What the C library, Python or torch say last when the kernel refuses.
_SAID: Final[tuple[tuple[bytes, LimitName], ...]] = (
    (b"MemoryError", "memory"),
    (b"std::bad_alloc", "memory"),
    (b"not enough memory", "memory"),
    (b"Cannot allocate memory", "memory"),
    (b"can't start new thread", "processes"),
    (b"[Errno 11] Resource temporarily unavailable", "processes"),
    (b"File too large", "file"),
    (b"No space left on device", "file"),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a program.

    Attributes:
        exit_code: As a shell counts it: 128 and the signal's number if a signal ended it.
        stdout: What it wrote, at most ``output_bytes``.
        stderr: The same.
        limit: The limit that it hit, if any.
        wall_s: Seconds from start to end.
        cpu_s: Seconds of CPU time as last seen, a twentieth of a second or less before the end; the start of the
            sandbox is included.
        isolated: Whether it ran in a sandbox.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    limit: LimitName | None
    wall_s: float
    cpu_s: float
    isolated: bool


class Supervision:
    """Feeds and reads one process, looks after its limits, and kills it at the first that is hit."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", limits: Limits, stdin: bytes | None, *, info: int | None = None
    ):
        self.process, self.limits, self.isolated = process, limits, info is not None
        self.info, self.init = info, -1
        self.began = time.monotonic()
        self.proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.left = memoryview(stdin or b"")
        self.read: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self.usage = Usage(cpu_s=0.0, resident_bytes=0, pids=())
        self.limit: LimitName | None = None
        self.selector = selectors.DefaultSelector()

    def outcome(self) -> Outcome:
        """Return what came of the process, once it has ended."""
        try:
            self._communicate()
        finally:
            self._kill()
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()
            for descriptor in (self.init, self.info):
                if descriptor is not None and descriptor >= 0:
                    os.close(descriptor)
            self.selector.close()
            os.close(self.proc)
        code = self.process.returncode
        code = code if code >= 0 else 128 - code
        stderr = bytes(self.read["stderr"])
        return Outcome(
            exit_code=code,
            stdout=bytes(self.read["stdout"]),
            stderr=stderr,
            limit=self.limit or _limit_from_words(code, stderr),
            wall_s=time.monotonic() - self.began,
            cpu_s=self.usage.cpu_s,
            isolated=self.isolated,
        )

    def _register(self, stream: IO[bytes] | None, events: int, name: str) -> None:
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, events, name)

    def _communicate(self) -> None:
        self._register(self.process.stdin, selectors.EVENT_WRITE, "stdin")
        self._register(self.process.stdout, selectors.EVENT_READ, "stdout")
        self._register(self.process.stderr, selectors.EVENT_READ, "stderr")
        if self.info is not None:
            self.selector.register(self.info, selectors.EVENT_READ, "info")
        looked = 0.0
        while self.limit is None and self._running():
            for key, _ in self.selector.select(_LOOK_S):
                self._meet_init() if key.data == "info" else self._move(key)
            now = time.monotonic()
            if now - looked >= _LOOK_S:
                looked = now
                self._look(now)

    def _running(self) -> bool:
        """Return whether there is something to wait for: the first process, since orphans end with it or are killed."""
        if self.process.poll() is None:
            return True
        for key, _ in self.selector.select(0):  # what is still in the pipes
            if key.data == "info":
                self._meet_init()
            elif key.data != "stdin":
                while self.limit is None and self._move(key):
                    pass
        return False

    def _meet_init(self) -> None:
        """Take hold of the namespace's first process, which bubblewrap names once it is there."""
        assert self.info is not None
        self.selector.unregister(self.info)
        # no JSON parser: the rest of the object may come in a later write, the number stands in the first
        if found := re.search(rb'"child-pid": (\d+)', os.read(self.info, 4096)):
            with contextlib.suppress(ProcessLookupError):
                self.init = os.pidfd_open(int(found[1]))

    def _move(self, key: selectors.SelectorKey) -> bool:
        """Move bytes through one pipe; return whether there may be more."""
        try:
            if key.data == "stdin":
                self.left = self.left[os.write(key.fd, self.left[:_CHUNK]) :]
                more = bool(self.left)
            else:
                more = self._keep(key.data, os.read(key.fd, _CHUNK))
        except BlockingIOError:
            return False
        except BrokenPipeError:
            more = False
        if not more:
            self.selector.unregister(key.fileobj)
            key.fileobj.close()  # pyright: ignore[reportAttributeAccessIssue]
        return more

    def _keep(self, name: str, data: bytes) -> bool:
        kept = self.read[name]
        room = self.limits.output_bytes - len(kept)
        kept += data[:room]
        if len(data) > room:
            self.limit = "output"
        return bool(data)

    def _look(self, now: float) -> None:
        found = tree_usage(self.process.pid, self.proc)
        self.usage = replace(found, cpu_s=max(found.cpu_s, self.usage.cpu_s))
        if self.limit is None:
            over = now - self.began > self.limits.wall_s
            self.limit = "wall" if over else exceeded(self.usage, self.limits, self.proc)

    def _kill(self) -> None:
        """Kill what is left, and wait for it."""
        if not self.isolated:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        if self.init >= 0:  # it ends only after all others in the namespace, a moment later than bubblewrap itself
            select.select([self.init], [], [], _GONE_S)


def _limit_from_words(code: int, stderr: bytes) -> LimitName | None:
    if code == 128 + signal.SIGXCPU:
        return "cpu"
    if code == 128 + signal.SIGXFSZ:
        return "file"
    if code == 0:
        return None
    last = stderr.rstrip().rpartition(b"\n")[2]
    return next((name for words, name in _SAID if words in last), None)
