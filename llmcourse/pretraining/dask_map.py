"""A function over many items on Dask: in threads of this process, or on the workers of a cluster."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

__all__ = ["Map", "dask_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_CONNECT_S = 10
_NO_WORKER_S = 60


class Map(Protocol):
    """Applies a function to items, some at a time."""

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Give the results in the order of the items, as soon as a round of them is there."""
        ...


@contextmanager
def dask_map(scheduler: str | None = None, *, no_worker_s: float = _NO_WORKER_S) -> Iterator[Map]:
    r"""Open what maps functions over items; results and their order are the same wherever they are computed.

    A worker that dies is no error: Dask computes its items again on another. Whoever can reach a scheduler's port can
    run code on its workers: it belongs into a private network.

    Args:
        scheduler: The address of a Dask scheduler, ``"tcp://10.0.0.1:8786"``, whose workers need the same Python,
            course and paths; None for threads of this process.
        no_worker_s: Seconds that a cluster may be without any worker before it is given up.

    Yields:
        What maps; functions are of a module, so that workers can import them.

    Raises:
        ConnectionError: No scheduler answers, it has no worker, or it is gone; quotes the address.
        ImportError: Dask is not installed.

    Example:
        >>> with dask_map() as mapped:
        ...     list(mapped(len, ["a", "bc"]))
        [1, 2]
    """
    try:
        import dask.bag  # noqa: F401  # distributed needs it too
    except ImportError as error:
        raise ImportError("this runs on Dask: pip install 'llmcourse[data]', or pip install distributed") from error
    if scheduler is None:
        yield _rounds(_in_threads, 4 * (os.cpu_count() or 1))
        return
    from distributed import Client

    try:
        client: Any = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {scheduler!r}: {error}") from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ConnectionError(f"the scheduler at {scheduler!r} has no worker: dask worker {scheduler}")
        yield _rounds(lambda bag: _on_cluster(client, bag, scheduler, no_worker_s), 4 * threads)


def _rounds(compute: Callable[[Any], list[Any]], size: int) -> Map:
    """Return what computes so many items at a time: the next round waits until the results of one were taken."""

    def mapped(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        from dask import bag

        for start in range(0, len(items), size):
            yield from compute(bag.from_sequence(items[start : start + size], partition_size=1).map(function))

    return mapped


def _in_threads(bag: Any) -> list[Any]:
    return list(bag.compute(scheduler="threads"))


def _on_cluster(client: Any, bag: Any, address: str, no_worker_s: float) -> list[Any]:
    future, seen = client.compute(bag), time.monotonic()
    while True:
        try:
            return list(future.result(timeout=1))
        except TimeoutError:
            if future.done():  # the error is the function's own
                raise
            if client.status != "running":
                raise ConnectionError(f"the Dask scheduler at {address!r} no longer answers") from None
            if client.nthreads():
                seen = time.monotonic()
            elif time.monotonic() - seen > no_worker_s:
                raise ConnectionError(f"the Dask scheduler at {address!r} has no worker left") from None
