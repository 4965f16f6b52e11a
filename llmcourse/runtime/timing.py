"""Measuring side by side: contenders take turns, so that what else the machine does falls on all of them alike."""

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["machine", "peak_bytes", "ratio_of", "take_turns"]


def take_turns(
    contenders: Mapping[str, Callable[[], object]], *, repeats: int, warm_up: int = 1
) -> dict[str, list[float]]:
    """Time several functions in turns, every other round in reverse order.

    Args:
        contenders: Functions by name; what they return is dropped.
        repeats: Rounds that count.
        warm_up: Rounds before, which do not.

    Returns:
        For each name its seconds in each round.

    Raises:
        ValueError: No rounds at all.

    Example:
        >>> times = take_turns({"sum": lambda: sum(range(1000)), "len": lambda: len("abc")}, repeats=3)
        >>> [len(seconds) for seconds in times.values()]
        [3, 3]
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}: measure at least once")
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(warm_up + repeats):
        order = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in order:
            begun = time.perf_counter()
            result = contenders[name]()
            seconds = time.perf_counter() - begun
            del result  # before the next one is timed
            if turn >= warm_up:
                times[name].append(seconds)
    return times


def ratio_of(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """Return how many times as long the first took, round by round: the median, the least and the most.

    Args:
        slower: Seconds of one contender in each round.
        faster: Seconds of the other.

    Returns:
        Three ratios by name.

    Example:
        >>> ratio_of([2.0, 3.0, 4.0], [1.0, 1.0, 1.0])
        {'median': 3.0, 'min': 2.0, 'max': 4.0}
    """
    ratios = [one / other for one, other in zip(slower, faster, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def peak_bytes() -> int:
    """Return the most memory that this process has had, in bytes.

    Linux counts ``ru_maxrss`` across the start of a new program, so that a child of a large process looks large;
    the high-water mark in ``/proc`` is the program's own.

    Returns:
        Bytes of resident memory.

    Example:
        >>> peak_bytes() > 1_000_000
        True
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine() -> dict[str, str | int]:
    """Return what a figure depends on beside the code: the processor, its cores, and Python.

    Returns:
        Values by name.

    Example:
        >>> sorted(machine())
        ['cores', 'processor', 'python', 'system']
    """
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
