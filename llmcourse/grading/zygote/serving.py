"""The servers of this machine: shared by all workers of a run, and replaced when one dies.

Whoever starts workers calls :func:`shared_servers` first: the servers' addresses then stand in the environment, which
the workers inherit. A process that finds none there, or finds them dead, starts servers of its own.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from llmcourse.grading.zygote.client import Address, Forked, Zygote, ZygoteError

__all__ = ["fork", "shared_servers", "start"]

_VARIABLE: Final = "LLMCOURSE_ZYGOTES"
_ATTEMPTS: Final = 3
_own: dict[str, Zygote] = {}
_dead: set[str] = set()


@contextlib.contextmanager
def shared_servers(preload: Sequence[str], *, accept_unisolated: bool = False) -> Iterator[None]:
    """Run one server of each role for this process and those that it starts.

    Args:
        preload: Modules that they import before the first fork.
        accept_unisolated: Whether they may run without a sandbox.

    Yields:
        Nothing.

    Raises:
        NotIsolatedError: There is no working sandbox, and running without was not accepted.
    """
    servers = {role: Zygote(role, preload, accept_unisolated=accept_unisolated) for role in ("kernel", "judge")}
    addresses = {role: server.address.path for role, server in servers.items()}
    os.environ[_VARIABLE] = json.dumps({"preload": list(preload), **addresses})
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
        for server in servers.values():
            server.close()


def start(role: str, preload: Sequence[str], *, accept_unisolated: bool = False) -> Address:
    """Return where to ask for forks; starts a server of this process where there is none.

    Args:
        role: ``kernel`` or ``judge``.
        preload: Modules that it imports before the first fork.
        accept_unisolated: Whether it may run without a sandbox.

    Returns:
        A server's address.

    Raises:
        NotIsolatedError: There is no working sandbox, and running without was not accepted.
    """
    shared = json.loads(os.environ.get(_VARIABLE, "{}"))
    if role in shared and set(preload) <= set(shared["preload"]) and shared[role] not in _dead:
        return Address(role, shared[role])
    found = _own.get(role)
    if found is None or not found.alive() or not set(preload) <= set(found.preload):
        if found is not None:
            found.close()
        _own[role] = found = Zygote(role, preload, accept_unisolated=accept_unisolated)
    return found.address


def fork(
    role: str,
    preload: Sequence[str],
    request: dict[str, Any],
    descriptors: dict[str, int],
    *,
    accept_unisolated: bool = False,
) -> Forked:
    """Ask for a fork; a server that has died is replaced by one of this process.

    Args:
        role: ``kernel`` or ``judge``.
        preload: Modules that the server imports before its first fork.
        request: What the role's module takes.
        descriptors: Open descriptors that the fork gets, by name.
        accept_unisolated: Whether it may run without a sandbox.

    Returns:
        The fork; it dies when this object is collected.

    Raises:
        NotIsolatedError: There is no working sandbox, and running without was not accepted.
        ZygoteError: New servers die, too.
    """
    for attempt in range(_ATTEMPTS):
        address = start(role, preload, accept_unisolated=accept_unisolated)
        try:
            return address.fork(request, descriptors)
        except ZygoteError as error:
            _dead.add(address.path)
            own = _own.pop(role, None)
            words = own.last_words() if own is not None else ""
            if own is not None:
                own.close()
            if attempt == _ATTEMPTS - 1:
                raise ZygoteError(f"{error}; it said last: {words or 'nothing'}") from error
    raise AssertionError("unreachable")
