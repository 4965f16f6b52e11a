"""What a fork does before it becomes a kernel or a judge: shuts itself off, unpacks its files, draws fresh seeds."""

import importlib
import os
import random
import signal
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from llmcourse.sandbox import Limits, isolate_fork

__all__ = ["FAILED", "ROLES", "Fork", "become"]

# The exit code of a fork that could not be shut off, and so ran nothing.
FAILED: Final = 125
# What a fork can be, and the module whose ``run`` it then is.
ROLES: Final = {"kernel": "llmcourse.grading.zygote.kernel", "judge": "llmcourse.grading.zygote.judge"}


@dataclass(frozen=True)
class Fork:
    """What a fork was asked to be: its role, the request, open descriptors by name, and where its watcher reports."""

    role: str
    request: dict[str, Any]
    descriptors: dict[str, int]
    isolated: bool
    report: int


def become(fork: Fork) -> NoReturn:
    """Be a kernel or a judge from here on; never returns to the server's code.

    Args:
        fork: What was asked for.
    """
    code = FAILED
    try:
        _detach()
        _shut_off(fork)
        _unpack(fork)
        os.environ.update(fork.request.get("environment", {}))
        _reseed()
        code = 1
        importlib.import_module(ROLES[fork.role]).run(fork.request, fork.descriptors)
        code = 0
    except BaseException as error:
        if code == FAILED:  # nothing of a submission has run yet
            os.write(fork.report, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)


def _detach() -> None:
    """Leave the server's output: what is written past Python's streams would be the instructor's terminal."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _shut_off(fork: Fork) -> None:
    limits = Limits(**fork.request["limits"])
    if fork.isolated:
        # an interpreter that lies in /tmp, which is covered by a new one; it stays read-only, as it was mounted
        prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
        keep = [path for path in sorted(prefixes) if path.is_relative_to("/tmp")]
        descriptors = (0, 1, 2, *fork.descriptors.values())
        isolate_fork(limits, keep=keep, keep_descriptors=descriptors, report=fork.report)
        return
    os.setsid()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limits.apply(
        address_space_in_use=pages * os.sysconf("SC_PAGE_SIZE"), processes_in_use=fork.request["processes_in_use"]
    )


def _unpack(fork: Fork) -> None:
    """Work in a folder that holds what was handed in beside the notebook."""
    folder = tempfile.mkdtemp(prefix="work-")
    os.chdir(folder)
    sys.path[0] = folder
    if "files" in fork.descriptors:
        with os.fdopen(fork.descriptors.pop("files"), "rb") as packed, tarfile.open(fileobj=packed) as archive:
            archive.extractall(folder, filter="data")


def _reseed() -> None:
    """Make forks differ as processes that started on their own would."""
    random.seed()
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed()
    if (torch := sys.modules.get("torch")) is not None:
        torch.seed()
