"""Starting a warm server in its sandbox, and asking it for forks."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmcourse.grading.zygote.protocol import send_request
from llmcourse.sandbox import INNER_PACKAGE, Bind, NotIsolatedError, Sandbox, probe

__all__ = ["Address", "Forked", "Zygote", "ZygoteError"]

_PACKAGE: Final = Path(__file__).resolve().parents[2]
# What of the course a student's process holds: how to answer a judge, and nothing that exercises ask for.
_INSIDE: Final = ("grading/__init__.py", "grading/border", "grading/zygote")
# As in a kernel under nbgrader; the second is read when matplotlib is imported, before there is a kernel.
_ENVIRONMENT: Final = {
    "NBGRADER_EXECUTION": "autograde",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # large pages, of which a fork copies one entry for 512: forks of a process that holds PyTorch take half the time
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
_START_S: Final = 120
_END_S: Final = 5


class ZygoteError(RuntimeError):
    """A server could not be started, or is gone; asking again starts a new one."""


class Forked:
    """A process that a server forked, with the methods of ``subprocess.Popen`` that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._lines = connection, b""
        self.returncode: int | None = None
        self.said = ""
        first = self._message(_START_S)
        if first is None or "pid" not in first:
            raise ZygoteError(f"no process was forked: {(first and first.get('said')) or 'the server has ended'}")
        self.pid: int = first["pid"]

    def _message(self, timeout_s: float | None) -> dict[str, Any] | None:
        """Return the next line; None where none comes in time, a made-up exit where the server is gone."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        while b"\n" not in self._lines:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not poll.poll(left):
                return None
            try:
                data = self._connection.recv(65536)
            except OSError:
                data = b""
            if not data:
                return {"exit": -signal.SIGKILL, "said": "the server that forked it has ended"}
            self._lines += data
        line, self._lines = self._lines.split(b"\n", 1)
        return json.loads(line)

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(timeout=0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code; a signal's number is negative.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            The exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        if self.returncode is None:
            message = self._message(timeout)
            if message is None:
                raise subprocess.TimeoutExpired("forked process", timeout or 0.0)
            self.returncode, self.said = message["exit"], message["said"]
            self._connection.close()
            return message["exit"]
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens where it has ended."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                self._connection.send(bytes([number]))

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it with all that it has started."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of it, which ends it too."""
        self._connection.close()


@dataclass(frozen=True)
class Address:
    """Where a server can be asked: its role, and the path of its socket."""

    role: str
    path: str

    def fork(self, request: dict[str, Any], descriptors: dict[str, int]) -> Forked:
        """Ask for a fork.

        Args:
            request: What the role's module takes, with ``limits``, a dict of :class:`llmcourse.sandbox.Limits`.
            descriptors: Open descriptors that it gets, by name.

        Returns:
            The fork; it dies when this object is collected.

        Raises:
            ZygoteError: The server is gone, or could not shut the fork off from others.
        """
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.path)
            send_request(connection, request, descriptors)
            return Forked(connection)
        except (OSError, ZygoteError) as error:
            connection.close()
            raise ZygoteError(f"the server for {self.role}s does not answer: {error}") from error


class Zygote:
    """A warm server, which ends with this object or this process.

    Args:
        role: ``kernel`` or ``judge``.
        preload: Modules that it imports before the first fork.
        accept_unisolated: Run without a sandbox where there is none; never as root.

    Raises:
        NotIsolatedError: There is no working sandbox, and running without was not accepted or would be as root.
    """

    def __init__(self, role: str, preload: Sequence[str], *, accept_unisolated: bool = False) -> None:
        self.preload = tuple(preload)
        found = probe()
        self.isolated = found.isolates and found.nested
        if not self.isolated and (not accept_unisolated or os.geteuid() == 0):
            why = "; ".join(f"{lack.reason}. {lack.remedy}" for lack in found.lacks)
            root = " Without a sandbox nothing is run as root." if accept_unisolated else ""
            raise NotIsolatedError(f"not run, since it cannot be isolated: {why}{root}")
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self.address = Address(role, str(Path(self._folder.name) / "server"))
        self._log = (Path(self._folder.name) / "log").open("w+b")
        listener = socket.socket(socket.AF_UNIX)
        # Held open by this process alone. The server ends when it closes, even where this process was killed so early
        # that bwrap had not yet asked the kernel to be told of it.
        alive, self._lifeline = os.pipe()
        with listener:
            listener.bind(self.address.path)
            listener.listen(64)
            self.process = self._start(listener.fileno(), alive)
        os.close(alive)
        self._finalizer = weakref.finalize(self, _end, self.process, self._lifeline, self._folder, self._log)

    def _start(self, listener: int, alive: int) -> "subprocess.Popen[bytes]":
        settings = {"listen": listener, "alive": alive, "role": self.address.role, "isolated": self.isolated}
        settings["preload"] = self.preload
        command = [sys.executable, "-m", "llmcourse.grading.zygote.server", json.dumps(settings)]
        environment: dict[str, str] | None = None
        if self.isolated:
            command = _sandbox(self.address.role).command(command, bwrap=str(probe().bubblewrap))
        else:
            environment = _bare_environment(self._folder.name)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment,
            cwd="/",
            pass_fds=(listener, alive),
            start_new_session=True,  # Ctrl-C is for the grader, which ends its servers itself
        )

    def alive(self) -> bool:
        """Return whether it can be asked."""
        return self.process.poll() is None

    def last_words(self) -> str:
        """Return the end of what the server wrote."""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 2000))
        return self._log.read().decode(errors="replace").strip()

    def close(self) -> None:
        """End the server, and with it all its forks."""
        self._finalizer()


def _end(
    process: "subprocess.Popen[bytes]", lifeline: int, folder: "tempfile.TemporaryDirectory[str]", log: Any
) -> None:
    os.close(lifeline)
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    log.close()
    folder.cleanup()


def _sandbox(role: str) -> Sandbox:
    inner = INNER_PACKAGE / "llmcourse"
    names: list[str] = list(_INSIDE)
    if role == "judge":  # tests may compare with the reference
        names = [path.name for path in sorted(_PACKAGE.iterdir()) if path.name not in ("__init__.py", "sandbox")]
        names = [name for name in names if not name.startswith("__")]
    return Sandbox(
        limits=None,
        nested=True,
        procfs=probe().procfs,
        binds=tuple(Bind(source=_PACKAGE / name, target=inner / name) for name in names),
        environment=_ENVIRONMENT,
    )


def _bare_environment(folder: str) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    fixed = {"PATH": path, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    return fixed | _ENVIRONMENT | {"PYTHONPATH": str(_PACKAGE.parent), "CUDA_VISIBLE_DEVICES": ""}
