"""Large pages for what a server holds: forking it then copies hundreds of entries and not tens of thousands."""

import ctypes
from pathlib import Path
from typing import Final

__all__ = ["collapse"]

_LARGE: Final = 2 << 20
_MADV_COLLAPSE: Final = 25  # of Linux 6.1


def collapse() -> int:
    """Gather this process's own writable memory into large pages, where the kernel can.

    A process that holds PyTorch forks and ends in half the time then. A fork that writes into a large page gets a copy
    of the small page that it writes to, as before.

    Returns:
        How many bytes are in large pages for certain; 0 where the kernel is too old or there is no /proc.
    """
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    gathered = 0
    for line in maps.read_text(encoding="ascii", errors="replace").splitlines():
        where, rights, _, _, inode, *_ = line.split()
        if not rights.startswith("rw-p") or inode != "0":
            continue
        first, last = (int(number, 16) for number in where.split("-"))
        start, end = -(-first // _LARGE) * _LARGE, last // _LARGE * _LARGE
        if start < end and libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE) == 0:
            gathered += end - start
    return gathered
