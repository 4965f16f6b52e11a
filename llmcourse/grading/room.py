"""A disk that is full, which is nobody's submission's fault: grading stops, and goes on when there is room."""

import errno
import shutil
import socket
from pathlib import Path

__all__ = ["FREE_BYTES", "DiskFullError", "check_room", "full"]

# Below this nothing more is begun; what is under way can still be finished or cleared away.
FREE_BYTES = 16 << 20


class DiskFullError(RuntimeError):
    """A disk has no room for what grading writes; what was written before is whole."""


def check_room(folder: Path) -> None:
    """Make sure that there is room on a disk.

    Args:
        folder: Where will be written; it exists.

    Raises:
        DiskFullError: There is less than ``FREE_BYTES``.
    """
    if (free := shutil.disk_usage(folder).free) < FREE_BYTES:
        why = f"{free / 2**20:.1f} MiB are free, {FREE_BYTES / 2**20:.0f} are needed"
        raise DiskFullError(f"the disk of {folder} on {socket.gethostname()} is full ({why}); make room")


def full(error: BaseException | None) -> bool:
    """Return whether an exception says that a disk is full, or a user's share of it."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
