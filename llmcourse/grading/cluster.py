"""Workers on other machines, by way of a Dask scheduler.

Start them with one thread each (``dask worker ADDRESS --nworkers N --nthreads 1``), since a process runs one submission
at a time, and with the same versions of Python and of the course as the grader. No disk need be shared. Whoever can
reach the scheduler's port can run code on its workers and read submissions: that port belongs into a private network.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from llmcourse.grading.course import CourseError
from llmcourse.grading.pool import Workers

__all__ = ["cluster"]

_CONNECT_S = 10
_NO_WORKER_S = 60
_GONE = "the Dask scheduler no longer answers; start it, and run this again to go on"


class _Cluster:
    """The workers of a scheduler."""

    # Dask itself tries a task on several workers, but counts a death against all that stood in line for the worker.
    tries = 2

    def __init__(self, client: Any, deaths: tuple[type[BaseException], ...]) -> None:
        self.deaths = deaths
        self._client = client
        self._held: set[Any] = set()  # a task whose future is dropped is cancelled
        self._seen = time.monotonic()

    def width(self) -> int:
        return max(1, len(self._threads()))

    def _threads(self) -> dict[str, int]:
        """Ask the scheduler for its workers."""
        try:
            if self._client.status == "running":
                return self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise CourseError(_GONE) from error
        raise CourseError(_GONE)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        promised: Future[Any] = Future()
        remote = self._client.submit(function, *arguments, pure=False)
        self._held.add(remote)

        # Dask's own executor (2026.8.0) loses a task whose worker dies between computing a result and handing it over;
        # asking for the result waits until another worker has computed it again.
        def deliver(done: Any) -> None:
            try:
                promised.set_result(done.result())
            except BaseException as error:
                if done.status == "error":
                    promised.set_exception(error)
                else:  # cancelled by somebody else, or gone with the scheduler
                    promised.cancel()
                    promised.set_running_or_notify_cancel()
            self._held.discard(done)

        remote.add_done_callback(deliver)
        return promised

    def cancel(self) -> None:
        """Take back what is under way."""
        self._client.cancel(list(self._held))

    def look(self) -> None:
        if self._threads():
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _NO_WORKER_S:
            raise CourseError("the Dask scheduler has no worker left; start one, and run this again to go on")


@contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """Use the workers of a Dask scheduler; each needs the same Python and course as this process.

    Args:
        address: The scheduler's, ``tcp://HOST:PORT``.

    Yields:
        Its workers.

    Raises:
        CourseError: There is no scheduler, or it has no worker.
    """
    from distributed import Client, KilledWorker  # heavy, and needed by few

    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise CourseError(f"no Dask scheduler answers at {address!r}: {error}") from error
    with client:
        if not client.nthreads():
            raise CourseError(f"the Dask scheduler at {address} has no worker; start one: dask worker {address}")
        opened = _Cluster(client, (KilledWorker,))
        try:
            yield opened
        finally:
            with suppress(OSError, TimeoutError):
                opened.cancel()
