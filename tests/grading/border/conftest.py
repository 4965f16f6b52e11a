"""A student's process for each test, forked from a warm one, and a judge in this process."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmcourse.grading.border import CellRun, Judge, Limits, SocketChannel, names_of, run_test_cell

SERVER = Path(__file__).parent / "student_process.py"


@pytest.fixture(scope="session")
def warm() -> Iterator[socket.socket]:
    """The socket of the process that forks students."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, SERVER, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        theirs.close()
        yield ours
        ours.close()
        process.wait(timeout=20)


@dataclasses.dataclass
class Session:
    """A judge and its student."""

    judge: Judge
    pid: int

    def run(self, source: str, **options: Any) -> CellRun:
        """Run a test cell."""
        return run_test_cell(self.judge, source, **options)

    def passes(self, source: str) -> None:
        """Run a test cell that is to pass without a word on stderr."""
        run = self.run(source)
        if run.error is not None:
            raise run.error
        assert not [output for output in run.outputs if output.get("name") == "stderr"], run.outputs

    def fails(self, source: str) -> str:
        """Run a test cell that is to fail, and return how."""
        run = self.run(source)
        assert run.error is not None, run.outputs
        return f"{type(run.error).__name__}: {run.error}"


Start = Callable[..., Session]


@pytest.fixture
def start(warm: socket.socket) -> Iterator[Start]:
    """Return a function that starts a session.

    ``start(source, setup="", solution=None, hostile=False, may_mutate=None, **limits)``: the student's cell, the
    instructor's cell that both sides run, the instructor's solution where it differs, and the judge's limits.
    """
    with contextlib.ExitStack() as stack:

        def begin(
            source: str,
            setup: str = "",
            solution: str | None = None,
            *,
            hostile: bool = False,
            may_mutate: frozenset[str] | None = None,
            **limits: Any,
        ) -> Session:
            ours, theirs = socket.socketpair()
            message = {"source": source, "setup": setup, "hostile": hostile, "limits": limits}
            with theirs:
                socket.send_fds(warm, [json.dumps(message).encode()], [theirs.fileno()])
                pid = int(warm.recv(100))
            stack.callback(_end, pid)
            stack.callback(ours.close)
            judge = Judge(
                SocketChannel(ours),
                Limits(**limits),
                interrupt=lambda: os.kill(pid, signal.SIGINT),
                may_mutate=may_mutate,
            )
            if setup:
                exec(setup, judge.namespace)
            judge.define(names_of(source if solution is None else solution))
            return Session(judge, pid)

        yield begin


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
