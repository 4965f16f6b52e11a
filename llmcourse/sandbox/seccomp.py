"""A seccomp filter, assembled by hand: which system calls a process and all its children lose for good.

Covered: the calls of :mod:`llmcourse.sandbox.syscalls`; new namespaces by ``clone``; sockets of every family but
UNIX's (and the internet's where it is asked for); typing into the terminal by ``ioctl``; the 32-bit and x32 entries of
the kernel, whose numbers mean other calls.

Not covered: what a call does to a path or an address in memory, which a filter cannot see; time and memory, which
:mod:`llmcourse.sandbox.limits` bounds; machines other than x86_64 and aarch64, where there is no filter at all.
"""

import ctypes
import errno
import os
import socket
import struct
from typing import Final

from llmcourse.sandbox.kernel import check, libc, no_new_privileges
from llmcourse.sandbox.syscalls import ARCHITECTURES, DENIED, FATAL, INSPECTED

__all__ = ["assemble_filter", "install_filter", "supported"]

# linux/bpf_common.h: load a word at a fixed offset, compare it with a constant, return one
LOAD: Final = 0x20
JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT = 0x15, 0x35, 0x45
RETURN: Final = 0x06
# linux/seccomp.h
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
SET_MODE_FILTER, FLAG_ALL_THREADS = 1, 1
# struct seccomp_data: number, architecture, instruction pointer, six arguments of 64 bits, low half first
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
SYS_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
NEW_NAMESPACES: Final = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
X32: Final = 0x40000000
# TIOCSTI and TIOCLINUX: text that the terminal's owner seems to have typed
TERMINAL_INPUT: Final = (0x5412, 0x541C)
PERSONALITY_QUERY: Final = 0xFFFFFFFF

Instruction = tuple[int, int, int, int]


def supported() -> bool:
    """Return whether this machine's architecture has a filter here."""
    return os.uname().machine in ARCHITECTURES


def _refuse(number: int) -> int:
    return ERROR | number


def _on_number(number: int, body: list[Instruction]) -> list[Instruction]:
    """Return instructions that run ``body``, which must return, for one system call and else go on behind it."""
    return [(JUMP_EQUAL, 0, len(body), number), *body]


def _argument(index: int) -> Instruction:
    return (LOAD, 0, 0, ARGUMENTS + 8 * index)


def _only(index: int, allowed: tuple[int, ...], action: int) -> list[Instruction]:
    """Return a body that allows some values of an argument."""
    tests = [(JUMP_EQUAL, len(allowed) - place, 0, value) for place, value in enumerate(allowed)]
    return [_argument(index), *tests, (RETURN, 0, 0, action), (RETURN, 0, 0, ALLOW)]


def _program(machine: str, network: bool) -> list[Instruction]:
    audit, column = ARCHITECTURES[machine]
    families = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6) if network else (socket.AF_UNIX,)
    denied: Instruction = (RETURN, 0, 0, _refuse(errno.EPERM))
    number = {name: columns[column] for name, columns in INSPECTED.items()}
    program: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, audit),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (JUMP_AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL),
    ]
    for calls, action in ((FATAL, KILL), (DENIED, denied[3])):
        for columns in calls.values():
            if (call := columns[column]) is not None:
                program += _on_number(call, [(RETURN, 0, 0, action)])
    # The flags of clone3 lie in memory, out of sight; without it the C library falls back to clone.
    program += _on_number(number["clone3"], [(RETURN, 0, 0, _refuse(errno.ENOSYS))])
    program += _on_number(
        number["clone"], [_argument(0), (JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES), denied, (RETURN, 0, 0, ALLOW)]
    )
    for name in ("socket", "socketpair"):
        program += _on_number(number[name], _only(0, families, denied[3]))
    program += _on_number(number["personality"], _only(0, (0, PERSONALITY_QUERY), denied[3]))
    terminal = [(JUMP_EQUAL, len(TERMINAL_INPUT) - place, 0, value) for place, value in enumerate(TERMINAL_INPUT)]
    program += _on_number(number["ioctl"], [_argument(1), *terminal, (RETURN, 0, 0, ALLOW), denied])
    return [*program, (RETURN, 0, 0, ALLOW)]


def assemble_filter(*, network: bool = False, machine: str | None = None) -> bytes:
    """Return the filter as the kernel wants it: instructions of eight bytes each.

    Args:
        network: Allow sockets of the internet's families.
        machine: ``x86_64`` or ``aarch64``; this machine if none.

    Returns:
        The program, in this machine's byte order.

    Raises:
        ValueError: There is no filter for the architecture.

    Example:
        >>> len(assemble_filter(machine="x86_64")) % 8
        0
    """
    machine = machine or os.uname().machine
    if machine not in ARCHITECTURES:
        raise ValueError(f"there is no seccomp filter for {machine!r}, only for {', '.join(ARCHITECTURES)}")
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _program(machine, network))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install_filter(*, network: bool = False) -> None:
    """Take the calls away from all threads of this process and from what it will start, for good.

    Args:
        network: Allow sockets of the internet's families.

    Raises:
        OSError: The kernel has no seccomp, or a thread of this process stands under another filter.
    """
    code = assemble_filter(network=network)
    no_new_privileges()
    program = _Program(len(code) // 8, code)
    number = SYS_SECCOMP[os.uname().machine]
    result = libc().syscall(number, SET_MODE_FILTER, FLAG_ALL_THREADS, ctypes.byref(program))
    if result > 0:
        raise OSError(errno.EBUSY, f"thread {result} could not be put under the seccomp filter")
    check(result, "seccomp")
