"""Run one program that is not trusted, and say what came of it.

Covered: the program runs in a :class:`llmcourse.sandbox.Sandbox` of its own under :class:`llmcourse.sandbox.Limits`;
at the first limit the whole tree is killed, by killing bubblewrap, whose pid namespace dies with it. Output is read up
to the limit and no further. Standard input is what the caller gives, or empty.

Without bubblewrap nothing runs unless ``accept_unisolated`` says so. Then there are limits, a process group, an empty
environment and the filter where there is one, but the program reads all that its user can read, writes what its user
can write, and may leave processes behind that leave the group: it is NOT ISOLATED. Root is refused.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from llmcourse.sandbox.bubblewrap import Bind, Sandbox, start_command
from llmcourse.sandbox.limits import Limits
from llmcourse.sandbox.probing import probe
from llmcourse.sandbox.supervision import Outcome, Supervision

__all__ = ["NOT_ISOLATED", "NotIsolatedError", "run_untrusted"]

NOT_ISOLATED: Final = (
    "NOT ISOLATED: this program can read and write whatever you can, since there is no working sandbox here; "
    "llmcourse doctor says why"
)
_SOURCE: Final = "/run/program.py"


class NotIsolatedError(RuntimeError):
    """The program was not run, since it could not be isolated."""


def run_untrusted(
    program: Sequence[str] | str,
    *,
    limits: Limits | None = None,
    binds: Iterable[Bind] = (),
    stdin: bytes | None = None,
    network: bool = False,
    accept_unisolated: bool = False,
) -> Outcome:
    r"""Run a program with limits, away from this machine's files, processes and network.

    Args:
        program: A command, or the source of a Python program.
        limits: What it may use.
        binds: Files and folders that it sees beside the system and this interpreter.
        stdin: Its standard input.
        network: Whether it may use this machine's network.
        accept_unisolated: Run it with limits alone where there is no sandbox; never as root.

    Returns:
        The outcome; a program that fails, or is killed at a limit, is one too.

    Raises:
        NotIsolatedError: There is no working sandbox, and running without was not accepted or would be as root.
        ValueError: There is no program, or a bind's source does not exist.

    Example:
        >>> if probe().isolates:
        ...     print(run_untrusted("print(6 * 7)").stdout)
        ... else:
        ...     print(b"42\n")
        b'42\n'
    """
    limits = limits or Limits()
    if not program:
        raise ValueError(f"program={program!r} is empty: give a command or Python source")
    if probe().isolates:
        return _run_isolated(program, limits, tuple(binds), stdin, network)
    if not accept_unisolated or os.geteuid() == 0:
        why = "; ".join(f"{lack.reason}. {lack.remedy}" for lack in probe().lacks)
        root = " Without a sandbox nothing is run as root." if accept_unisolated else ""
        raise NotIsolatedError(f"not run, since it cannot be isolated: {why}{root}")
    warnings.warn(NOT_ISOLATED, RuntimeWarning, stacklevel=2)
    return _run_unisolated(program, limits, stdin, network)


def _run_isolated(
    program: Sequence[str] | str, limits: Limits, binds: tuple[Bind, ...], stdin: bytes | None, network: bool
) -> Outcome:
    found = probe()
    sandbox = Sandbox(limits=limits, binds=binds, network=network, procfs=found.procfs)
    with contextlib.ExitStack() as stack:
        options: list[str] = []
        if isinstance(program, str):
            source = stack.enter_context(tempfile.TemporaryFile())
            source.write(program.encode())
            source.seek(0)
            options = ["--perms", "0444", "--file", str(source.fileno()), _SOURCE]
            command, descriptors = [str(sandbox.python), _SOURCE], (source.fileno(),)
        else:
            command, descriptors = list(program), ()
        readable, writable = os.pipe()
        try:
            process = subprocess.Popen(
                sandbox.command(command, bwrap=str(found.bubblewrap), options=[*options, "--info-fd", str(writable)]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(*descriptors, writable),
                cwd="/",
            )
        except BaseException:
            os.close(readable)
            raise
        finally:
            os.close(writable)
        return Supervision(process, limits, stdin, info=readable).outcome()


def _run_unisolated(program: Sequence[str] | str, limits: Limits, stdin: bytes | None, network: bool) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="untrusted-") as folder:
        command = [sys.executable, "-c", program] if isinstance(program, str) else list(program)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder}
        environment |= {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        start = start_command(
            Path(sys.executable),
            Path(__file__).resolve().parents[2],
            command,
            user=None,
            limits=limits,
            seccomp=probe().seccomp,
            network=network,
            processes_in_use=_threads_of_this_user(),
        )
        process = subprocess.Popen(
            start,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        return Supervision(process, limits, stdin).outcome()


def _threads_of_this_user() -> int:
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                total += sum(1 for _ in (folder / "task").iterdir())
    return total
