"""What a process and all its descendants use together, read from /proc by someone outside their pid namespace.

The kernel's own limits bind one process at a time; a program of thirty processes would have them thirty times. This
sums them up. Memory counts shared pages once (proportional set size), as soon as the cheap sum of resident sizes is
too large. All in a pid namespace descend from its first process, so none can leave the tree.

Not covered: what happens between two looks (a twentieth to a tenth of a second), which the limits of each process
bound; CPU time of children that were never waited for because their parent ignores SIGCHLD; memory of files in
/tmp, which the size of that file system bounds. Cgroups would do better, and need a delegation that a laptop lacks.
"""

import contextlib
import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal

from llmcourse.sandbox.limits import Limits

__all__ = ["Usage", "exceeded", "tree_usage"]

_TICKS_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """CPU seconds that were used, resident bytes (shared ones counted more than once), and the processes' ids."""

    cpu_s: float
    resident_bytes: int
    pids: tuple[int, ...]


def _read(proc: int, path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    try:
        return os.read(descriptor, 65536).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def tree_usage(root: int, proc: int) -> Usage:
    """Return what a process and its descendants use.

    Args:
        root: The first process's id.
        proc: A descriptor of the directory /proc.

    Returns:
        What was seen; nothing where the first process has ended.
    """
    found: dict[int, list[str]] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # the name in parentheses may itself hold spaces and parentheses
            fields = _read(proc, f"{name}/stat").rpartition(")")[2].split()
            found[int(name)] = fields
            children[int(fields[1])].append(int(name))
    tree, waiting = [], [root] if root in found else []
    while waiting:
        tree.append(waiting.pop())
        waiting += children[tree[-1]]
    # fields 14 to 17 of proc(5)'s stat: own and waited-for children's time; field 24: resident pages
    ticks = sum(int(field) for pid in tree for field in found[pid][11:15])
    pages = sum(int(found[pid][21]) for pid in tree)
    return Usage(cpu_s=ticks * _TICKS_S, resident_bytes=pages * _PAGE, pids=tuple(tree))


def _proportional_bytes(usage: Usage, proc: int) -> int:
    """Return the memory of a tree with shared pages counted once; a process that hides its own counts in full."""
    total = 0
    for pid in usage.pids:
        with contextlib.suppress(OSError):
            try:
                rollup = _read(proc, f"{pid}/smaps_rollup")
                total += 1024 * int(rollup.partition("\nPss:")[2].split()[0])
            except (PermissionError, IndexError):
                total += _PAGE * int(_read(proc, f"{pid}/statm").split()[1])
    return total


def exceeded(usage: Usage, limits: Limits, proc: int) -> Literal["cpu", "memory"] | None:
    """Return the limit that a tree is over, ``cpu`` or ``memory``, or None."""
    if usage.cpu_s > limits.cpu_s:
        return "cpu"
    if usage.resident_bytes > limits.memory_bytes and _proportional_bytes(usage, proc) > limits.memory_bytes:
        return "memory"
    return None
