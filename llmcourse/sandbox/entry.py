"""The first process inside: becomes nobody, takes the limits and the filter upon itself, and turns into the program.

Bubblewrap makes namespaces and mounts; this does what it does not. Started by root, bubblewrap would run the program
as root with capabilities, whom no process limit binds and to whom root's files belong; a user namespace that shows
another number changes neither. So the user is really changed here, and a user namespace of its own follows, in which
processes are counted apart from those of other sandboxes. Standard library only; started with ``python -I -S``.
"""

import contextlib
import json
import os
import signal
import sys
from typing import Any, Final

from llmcourse.sandbox.kernel import CLONE_NEWUSER, map_own_user, no_new_privileges, set_dumpable, unshare
from llmcourse.sandbox.limits import Limits
from llmcourse.sandbox.seccomp import install_filter

__all__ = ["CANNOT_START", "main"]

# As a shell says it: found but cannot be run.
CANNOT_START: Final = 126


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # the kernel gives /proc/self of who changed users to root, so that the maps below could not be written
    set_dumpable(True)
    with contextlib.suppress(OSError):  # without one, processes are counted for all sandboxes together
        unshare(CLONE_NEWUSER)
        map_own_user(user, user)


def _prepare(settings: dict[str, Any]) -> None:
    if settings["user"] is not None:
        _become(settings["user"])
    if os.geteuid() == 0:
        raise PermissionError("refused: this would run as root, whom no limit binds")
    if settings["limits"] is not None:
        Limits(**settings["limits"]).apply(processes_in_use=settings["processes_in_use"])
    no_new_privileges()
    if settings["filter"]:
        install_filter(network=settings["network"])


def main() -> None:
    """Prepare as the first argument says (JSON), and become the program that the others name."""
    settings, program = json.loads(sys.argv[1]), sys.argv[2:]
    # Python ignores these two, and what is ignored stays so across exec
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        _prepare(settings)
        os.execvp(program[0], program)
    except OSError as error:
        os.write(2, f"the sandbox could not start {program[0]!r}: {error}\n".encode())
        os._exit(CANNOT_START)
