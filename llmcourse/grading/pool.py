"""Running a function on many arguments in worker processes, none of which is needed to the end.

Local processes come from loky, joblib's pool; those of other machines from Dask (``cluster.py``). Both are used by way
of ``concurrent.futures``, not of ``joblib.Parallel``: with its Dask backend (1.6.0) a task whose worker was killed
never comes back, with one job it starts no process, and it takes arguments as fast as workers are, however slowly
results are used. Here at most two tasks a worker are under way, so memory stays as it is however many there are.

A worker that dies takes with it what it ran, and a local pool takes all that was under way. Each of these is run once
more, alone, so that a second death is its own; then it is given up. What is not covered: a worker that neither ends
nor answers; what it runs must limit its own time.
"""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from loky import ProcessPoolExecutor, cpu_count

from llmcourse.grading.course import CourseError
from llmcourse.sandbox.kernel import die_with_parent

__all__ = ["Local", "Lost", "Workers", "run"]

K = TypeVar("K")
# A worker with nothing to do for so long ends by itself.
_IDLE_S = 30
_LOOK_S = 5


class Lost:
    """What comes instead of a result where every worker that tried has died."""


class Workers(Protocol):
    """Processes that run functions."""

    tries: int
    deaths: tuple[type[BaseException], ...]

    def width(self) -> int:
        """Return how many there are."""
        ...

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Have one of them run a function."""
        ...

    def look(self) -> None:
        """Raise CourseError where nothing can be expected of them any more."""
        ...


class Local:
    """Processes on this machine, to be used as a context; leaving it by an exception kills them.

    Their temporary files are in one folder, which goes with them, however they end.

    Args:
        count: How many; None for one for each CPU that this process may use.
    """

    tries = 2
    deaths: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, count: int | None = None) -> None:
        self._count = count or cpu_count()
        self._folder = TemporaryDirectory(prefix="llmcourse-grade-", ignore_cleanup_errors=True)
        self._executor = self._open()

    def _open(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._count, timeout=_IDLE_S, initializer=_settle, initargs=(os.getpid(), self._folder.name)
        )

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._executor.shutdown(wait=True, kill_workers=kind is not None)
        self._folder.cleanup()

    def width(self) -> int:
        """Return how many processes there are."""
        return self._count

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Have a process run a function, a new one where they have died.

        Args:
            function: Of a module that the processes can import.
            *arguments: Travel by pickle.

        Returns:
            Its result to come.
        """
        with suppress(BrokenExecutor):
            return self._executor.submit(function, *arguments)
        self._executor.shutdown(wait=True, kill_workers=True)
        self._executor = self._open()
        return self._executor.submit(function, *arguments)

    def look(self) -> None:
        """Expect an answer as long as there is a pool: loky itself notices deaths."""


def _settle(grader: int, folder: str) -> None:
    """Make this process a worker: deaf to Ctrl-C, which is for the grader, and gone when the grader is."""
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    os.setpgid(0, 0)
    die_with_parent()
    if os.getppid() != grader:
        raise SystemExit(f"the grader, process {grader}, has ended")


def run(
    workers: Workers, function: Callable[..., Any], tasks: Iterable[tuple[K, tuple[Any, ...]]]
) -> Iterator[tuple[K, Any]]:
    """Run a function on arguments, and yield results as they come.

    Args:
        workers: Who runs it.
        function: What is run; its exceptions are raised here and end the run.
        tasks: A key and arguments for each call; asked for two a worker ahead.

    Yields:
        The key and the result, or :class:`Lost`.

    Raises:
        CourseError: All workers have gone.
    """
    fresh = iter(tasks)
    again: deque[tuple[K, tuple[Any, ...]]] = deque()
    tried: dict[K, int] = {}
    running: dict[Future[Any], tuple[K, tuple[Any, ...]]] = {}
    while True:
        for task in _next(fresh, again, running=len(running), width=workers.width()):
            running[workers.submit(function, *task[1])] = task
        if not running:
            return
        done, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        if not done:
            workers.look()
        for future in done:
            key, arguments = running.pop(future)
            if future.cancelled():
                workers.look()
                raise CourseError("the workers were told to stop by somebody else; run this again to go on")
            if not isinstance(future.exception(), workers.deaths):
                yield key, future.result()
                continue
            tried[key] = tried.get(key, 0) + 1
            if tried[key] < workers.tries:
                again.append((key, arguments))
            else:
                yield key, Lost()


def _next(fresh: Iterator[Any], again: deque[Any], *, running: int, width: int) -> Iterator[Any]:
    """Yield what is to be started now: as much as there is room for, or one alone that lost its worker."""
    if again:
        if not running:
            yield again.popleft()
        return
    for _ in range(2 * width - running):
        task = next(fresh, None)
        if task is None:
            return
        yield task
