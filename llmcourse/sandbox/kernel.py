"""The few system calls that Python 3.11 does not offer, through the C library.

``os.unshare`` came with Python 3.12; ``mount``, ``prctl`` and ``capset`` never did. Each function here is one call,
raises ``OSError`` when the kernel refuses it, and knows nothing of sandboxes.
"""

import ctypes
import functools
import os
import struct
from pathlib import Path
from typing import Any, Final

__all__ = [
    "CLONE_NEWCGROUP",
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "MS_BIND",
    "MS_NODEV",
    "MS_NOSUID",
    "MS_PRIVATE",
    "MS_RDONLY",
    "MS_REC",
    "MS_REMOUNT",
    "check",
    "die_with_parent",
    "drop_capabilities",
    "libc",
    "map_own_user",
    "mount",
    "no_new_privileges",
    "set_dumpable",
    "unshare",
]

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT = 1, 2, 4, 32
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_SYS_CAPSET: Final = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3: Final = 0x20080522
_SIGKILL: Final = 9


@functools.cache
def libc() -> Any:
    """Return the C library that this process runs on, keeping errno."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise ``OSError`` with errno's number and text if a call returned a negative number."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(option: int, *arguments: int) -> int:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return libc().prctl(ctypes.c_int(option), *padded)


def no_new_privileges() -> None:
    """Give up, for good, all privileges that a program file could bring (setuid, file capabilities)."""
    check(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "prctl(PR_SET_NO_NEW_PRIVS)")


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that forked it ends; changing the user undoes that."""
    check(_prctl(_PR_SET_PDEATHSIG, _SIGKILL), "prctl(PR_SET_PDEATHSIG)")


def set_dumpable(value: bool) -> None:
    """Say whether others of the same user may look into this process, and whether it owns its files in /proc."""
    check(_prctl(_PR_SET_DUMPABLE, int(value)), "prctl(PR_SET_DUMPABLE)")


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` name for new ones; a new pid namespace begins with the next child."""
    check(libc().unshare(ctypes.c_int(flags)), f"unshare({flags:#x})")


def map_own_user(uid: int, gid: int) -> None:
    """Map one user and one group of the user namespace just made to themselves; all others are nobody there."""
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path(f"/proc/self/{name}").write_text(line, encoding="ascii")


def mount(source: str, target: str | Path, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Attach a file system, or change how one is attached, with arguments as the kernel takes them."""
    texts = [text.encode() or None for text in (source, str(target), kind)]
    result = libc().mount(*texts, ctypes.c_ulong(flags), options.encode() or None)
    check(result, f"mount({source!r} on {str(target)!r})")


def drop_capabilities() -> None:
    """Give up all capabilities, those that may be used and those that could be had again."""
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(64):
        if _prctl(_PR_CAPBSET_DROP, capability) < 0:  # behind the last one that this kernel knows, or not permitted
            break
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    nothing = bytes(24)
    check(libc().syscall(_SYS_CAPSET[os.uname().machine], header, nothing), "capset")
