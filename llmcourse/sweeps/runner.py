"""Running a sweep: what is not in its journal yet, on one or more processes."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from llmcourse.sweeps.journal import Journal
from llmcourse.sweeps.sweep import Settings, Sweep

__all__ = ["header_of", "run_sweep"]

Finished = tuple[Settings, dict[str, Any], float]  # settings, results, seconds


def run_sweep(sweep: Sweep, journal: Journal, *, size: str, jobs: int = 1, device: str = "cpu") -> Iterator[Finished]:
    r"""Do the runs of a sweep that are not in its journal, and write each there as soon as it is finished.

    Each run has one thread, whatever ``jobs`` is, since the sum of numbers depends on how they are shared out.

    Args:
        sweep: What to run.
        journal: Where finished runs stand and are written.
        size: The preset.
        jobs: Processes; 0 runs in this one.
        device: What they compute on.

    Yields:
        Settings, results and seconds of each run when it is in the journal, the costly runs first.

    Raises:
        ValueError: jobs is negative, or there is no such size.
    """
    if jobs < 0:
        raise ValueError(f"jobs is {jobs}: give how many processes, or 0 for this one")
    left = [settings for settings in sweep.runs(size) if not journal.done(settings)]
    left.sort(key=sweep.cost, reverse=True)
    for settings, results, seconds in _in_processes(sweep, left, jobs, device) if jobs else _here(sweep, left, device):
        journal.append(settings, results, seconds=seconds)
        yield settings, results, seconds


def header_of(sweep: Sweep, *, size: str) -> dict[str, Any]:
    """Return what a journal begins with.

    Args:
        sweep: The sweep.
        size: The preset.

    Returns:
        Its name, the size and the hash.
    """
    return {"sweep": sweep.name, "size": size, "hash": sweep.hash(size)}


def _here(sweep: Sweep, left: list[Settings], device: str) -> Iterator[Finished]:
    for settings in left:
        yield _one(sweep.run, settings, device)


def _in_processes(sweep: Sweep, left: list[Settings], jobs: int, device: str) -> Iterator[Finished]:
    with _pool(min(jobs, len(left)) or 1) as pool:
        futures: list[Future[Finished]] = [pool.submit(_one, sweep.run, settings, device) for settings in left]
        for future in as_completed(futures):
            yield future.result()


@contextmanager
def _pool(jobs: int) -> Iterator[Executor]:
    """Workers that end with this process, however it ends, and at once when the sweep is interrupted."""
    others = set(multiprocessing.active_children())
    # A forked copy of a process that has used torch's threads or a GPU can hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown()


def _begin(parent: int) -> None:
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent settles it
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _one(run: Callable[[Settings, str], dict[str, Any]], settings: Settings, device: str) -> Finished:
    begun = time.perf_counter()
    results = run(settings, device)
    return settings, results, round(time.perf_counter() - begun, 2)
