"""A forked child that shuts itself off from the process that forked it, and from its siblings.

A server that forks a child per submission has already done the slow part (importing PyTorch), but its children share
its sandbox. :func:`isolate_fork` gives a child its own user, mount, pid, network, IPC and host-name namespaces, an
empty /tmp and /proc, no capabilities, limits, and the seccomp filter.

Three processes come of it: the child that called becomes a *watcher*, which counts CPU time, memory and seconds from
outside the new pid namespace; its child is the namespace's *init*, which collects orphans; init's child is the one
that returns from the call. Killing the watcher kills all: the server needs to know no other pid. SIGINT and SIGTERM
sent to the watcher reach the one that returned, which is how a kernel is interrupted.

Covered: neighbours cannot be seen, signalled, traced or reached by abstract sockets or shared memory; files of the
server's /tmp, its sockets and what ``hide`` names are gone; every later change of mounts or namespaces is refused.

Not covered: what the server holds in memory at the fork is in the child's memory too, and open descriptors stay open
unless ``keep_descriptors`` leaves them out: fork from a server that holds no secrets.
"""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final, NoReturn

from llmcourse.sandbox import kernel
from llmcourse.sandbox.limits import Limits
from llmcourse.sandbox.seccomp import install_filter
from llmcourse.sandbox.usage import exceeded, tree_usage

__all__ = ["LIMIT_HIT", "isolate_fork"]

# The watcher's exit code when it killed the child at a limit; timeout(1) uses the same.
LIMIT_HIT: Final = 124
_LOOK_S: Final = 0.1
_TMP: Final = Path("/tmp")
_NAMESPACES: Final = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)
_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM)


def isolate_fork(
    limits: Limits,
    *,
    keep: Collection[Path] = (),
    hide: Collection[Path] = (),
    keep_descriptors: Collection[int] = (0, 1, 2),
    report: int | None = None,
) -> None:
    """Return in a new process that is shut off from all others; the caller never returns.

    Call it in a freshly forked child of one thread, inside of a :class:`llmcourse.sandbox.Sandbox` made with
    ``nested=True``. On failure nothing returns to run strangers' code: an error is raised.

    Args:
        limits: What the new process may use; ``memory_bytes`` counts from what it holds at the fork, and
            ``processes`` includes the watcher and init.
        keep: Folders that stay as they are and writable, also where they lie in /tmp or in a hidden folder.
        hide: Folders that are to be empty and read-only, beside /proc and /tmp.
        keep_descriptors: Open files that stay open in the new process.
        report: A descriptor on which the watcher writes the name of a limit that was hit (``wall``, ``cpu``,
            ``memory``); the new process does not have it.

    Raises:
        OSError: The kernel refuses a namespace, a mount or the filter.
        ValueError: A folder to keep or to hide is not an absolute path.
    """
    for path in (*keep, *hide):
        if not path.is_absolute():
            raise ValueError(f"{str(path)!r} is no absolute path: inside of a sandbox nothing else is certain")
    uid, gid = os.getuid(), os.getgid()
    kernel.set_dumpable(True)
    kernel.unshare(_NAMESPACES)
    kernel.map_own_user(uid, gid)
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    address_space = pages * resource.getpagesize()
    _mount(limits, keep, hide)
    handled = (*_FORWARDED, signal.SIGCHLD)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, handled)
    init = os.fork()
    if init:
        _watch(init, limits, proc, report)
    kernel.die_with_parent()
    child = os.fork()
    if child:
        _collect(child)
    kernel.die_with_parent()
    _close_all_but(keep_descriptors)
    _restrict(limits, address_space)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _restrict(limits: Limits, address_space: int) -> None:
    limits.apply(address_space_in_use=address_space)
    kernel.drop_capabilities()
    install_filter()


def _close_all_but(kept: Collection[int]) -> None:
    last = -1
    for descriptor in sorted({*kept, resource.getrlimit(resource.RLIMIT_NOFILE)[0]}):
        if descriptor > last + 1:  # an empty range beginning at 0 would close all, on Python 3.11
            os.closerange(last + 1, descriptor)
        last = descriptor


def _mount(limits: Limits, keep: Collection[Path], hide: Collection[Path]) -> None:
    """Cover /tmp, /proc and what is hidden by empty file systems, and bind what is kept onto them."""
    quiet = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    held = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)) for path in keep]
    kernel.mount("tmpfs", _TMP, "tmpfs", quiet, f"size={limits.tmp_bytes},mode=1777")
    for folder in hide:
        kernel.mount("tmpfs", folder, "tmpfs", quiet, "size=64k,mode=755")
    for path, descriptor in held:
        path.mkdir(parents=True, exist_ok=True)
        kernel.mount(f"/proc/self/fd/{descriptor}", path, flags=kernel.MS_BIND)
        os.close(descriptor)
    for folder in hide:
        kernel.mount("none", folder, flags=kernel.MS_REMOUNT | kernel.MS_RDONLY | quiet)
    # last, since binding by descriptor needs it; a new procfs cannot be mounted below another sandbox's
    kernel.mount("tmpfs", "/proc", "tmpfs", quiet | kernel.MS_RDONLY, "size=4k,mode=555")
    os.chdir(_TMP)


def _watch(init: int, limits: Limits, proc: int, report: int | None) -> NoReturn:
    """Forward signals to the namespace's init until it ends or a limit is hit; end with its exit code."""
    with contextlib.suppress(OSError):
        _close_all_but([proc] if report is None else [proc, report])
        kernel.drop_capabilities()
    ends = time.monotonic() + limits.wall_s
    while True:
        hit = "wall" if time.monotonic() > ends else exceeded(tree_usage(init, proc), limits, proc)
        if hit:
            os.kill(init, signal.SIGKILL)
            os.waitpid(init, 0)
            if report is not None:
                os.write(report, hit.encode())
            os._exit(LIMIT_HIT)
        _wait(init, min(_LOOK_S, max(0.0, ends - time.monotonic())))


def _wait(child: int, seconds: float | None) -> None:
    """Forward signals for a while; end this process with the child's exit code once it has ended."""
    handled = (*_FORWARDED, signal.SIGCHLD)
    found = signal.sigwaitinfo(handled) if seconds is None else signal.sigtimedwait(handled, seconds)
    if found is not None and found.si_signo in _FORWARDED:
        os.kill(child, found.si_signo)
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
                os._exit(code if code >= 0 else 128 - code)


def _collect(child: int) -> NoReturn:
    """Be the namespace's init: collect whatever ends, and end with the child, which ends all others."""
    with contextlib.suppress(OSError):
        _close_all_but(())
        kernel.drop_capabilities()
    while True:
        _wait(child, None)
