"""From what a program may see to bubblewrap's command line.

Inside there is: the interpreter and its packages, /usr and the libraries, an /etc of four files, a /dev of five
devices, a /tmp of limited size, and what the caller binds. All but /tmp and writable binds is read-only, the root
itself too, which bubblewrap would leave writable. There is no home, no course folder, no network, no other process,
and an environment of a dozen variables. Of the course, only this package can be imported; an installed
``llmcourse`` among the site-packages is hidden behind an empty folder.

Not covered: what is world-readable in /usr can be read; files bound writable are the caller's risk, and their size is
bounded by the limits only. Pitfalls that shaped this: bubblewrap creates implied parents with mode 0700; as root it
keeps capabilities unless they are dropped, and ``--uid`` only renames root (see :mod:`llmcourse.sandbox.entry`).
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from llmcourse.sandbox.limits import Limits

__all__ = ["INNER_PACKAGE", "NOBODY", "Bind", "Sandbox", "start_command"]

# The kernel's overflow user: owns nothing.
NOBODY: Final = 65534
# Where llmcourse.sandbox, and nothing else of the course, stands inside.
INNER_PACKAGE: Final = Path("/run/llmcourse")
_PACKAGE: Final = Path(__file__).resolve().parents[1]

_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_FILES: Final = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
_FILES_OF_NETWORK: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl/certs")
# torch asks there how many processors there are, and complains without it
_PROCESSORS: Final = "/sys/devices/system/cpu"
_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_NAMESPACES: Final = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")


@dataclass(frozen=True, kw_only=True)
class Bind:
    """A file or folder of this machine that the program sees.

    Attributes:
        source: Where it is here.
        target: Where it is inside; the same place if none.
        writable: Whether the program may change it.
    """

    source: Path
    target: Path | None = None
    writable: bool = False

    def __post_init__(self) -> None:
        """Refuse what would be bound somewhere unforeseen, or over the whole root."""
        for name, path in (("source", self.source), ("target", self.target)):
            if path is not None and (not path.is_absolute() or ".." in path.parts or path == Path("/")):
                raise ValueError(f"{name}={str(path)!r} cannot be bound: give an absolute path below / without '..'")


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """What a program sees of this machine.

    Attributes:
        limits: What it may use; None leaves it to the program, which then has to limit its own children.
        binds: What it sees beside the interpreter and the system.
        hide: Folders inside of what is bound that are to be seen empty.
        environment: Variables beside those that every program gets.
        network: Share this machine's network, all of it.
        nested: The program calls :func:`llmcourse.sandbox.isolate_fork`, so it keeps the calls that this needs, and
            can import this package. It must be trusted until then.
        procfs: Mount /proc (of its own processes only); else /proc is an empty folder.
        python: The interpreter that starts the program, and that it sees.
    """

    limits: Limits | None = field(default_factory=Limits)
    binds: tuple[Bind, ...] = ()
    hide: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    nested: bool = False
    procfs: bool = True
    python: Path = Path(sys.executable)

    def command(self, program: Sequence[str], *, bwrap: str = "bwrap", options: Sequence[str] = ()) -> list[str]:
        """Return the command that runs a program in this sandbox, started by the user of this process.

        Args:
            program: The program and its arguments, as they are named inside.
            bwrap: Where bubblewrap is.
            options: More options for bubblewrap, after the mounts.

        Returns:
            The command's words.

        Raises:
            ValueError: There is no program, or a bind's source does not exist.
        """
        if not program:
            raise ValueError("program=() names nothing to run")
        root = os.geteuid() == 0
        return [
            *(bwrap, "--die-with-parent", "--new-session", *_NAMESPACES),
            *(() if self.network else ("--unshare-net",)),
            *(() if root else ("--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY))),
            *("--cap-drop", "ALL", *(("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID") if root else ())),
            *("--hostname", "sandbox", "--clearenv"),
            *(word for name, value in self._variables().items() for word in ("--setenv", name, value)),
            *self._mounts(),
            *options,
            *("--remount-ro", "/", "--chdir", "/tmp", "--"),
            *start_command(
                self.python,
                INNER_PACKAGE,
                program,
                user=NOBODY if root else None,
                limits=self.limits,
                seccomp=not self.nested,
                network=self.network,
            ),
        ]

    def _variables(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.python.parent), "/usr/local/bin", "/usr/bin", "/bin"])
        fixed = {"PATH": path, "HOME": "/tmp", "TMPDIR": "/tmp", "USER": "nobody", "LOGNAME": "nobody"}
        fixed |= {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": ""}
        fixed |= {"PYTHONPATH": str(INNER_PACKAGE)} if self.nested else {}
        return fixed | dict.fromkeys(_ONE_THREAD, "1") | dict(self.environment)

    def _mounts(self) -> list[str]:
        places = _Places()
        for name in _SYSTEM:
            places.system(Path(name))
        for name in (*_FILES, _PROCESSORS, *(_FILES_OF_NETWORK if self.network else ())):
            if Path(name).exists():
                # a link such as resolv.conf's leads out of what is mounted
                places.bind(Path(name).resolve(), Path(name))
        places.devices()
        places.words += ["--proc", "/proc"] if self.procfs else ["--perms", "0555", "--dir", "/proc"]
        tmp_bytes = (self.limits or Limits()).tmp_bytes
        # before what may lie in /tmp here: an environment, a socket's folder
        places.words += ["--perms", "1777", "--size", str(tmp_bytes), "--tmpfs", "/tmp"]
        for prefix in interpreter_folders(self.python):
            if not places.covers(prefix):
                places.bind(prefix, prefix)
        for name in ("__init__.py", "sandbox"):
            places.bind(_PACKAGE / name, INNER_PACKAGE / "llmcourse" / name)
        for item in self.binds:
            if not item.source.exists():
                raise ValueError(f"source={str(item.source)!r} cannot be bound: there is no such file or folder")
            places.bind(item.source, item.target or item.source, writable=item.writable)
        for folder in (_PACKAGE, *self.hide):
            places.hide(folder)
        return places.words


class _Places:
    """Bubblewrap's options for mounts, in order, with each parent made so that nobody may pass through it."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.bound: list[Path] = []
        self.made: set[Path] = {Path("/"), Path("/proc"), Path("/tmp")}

    def parents(self, path: Path) -> None:
        for parent in reversed(path.parents):
            if parent not in self.made and not self.covers(parent):
                self.words += ["--perms", "0755", "--dir", str(parent)]
                self.made.add(parent)

    def covers(self, path: Path) -> bool:
        return any(path.is_relative_to(bound) for bound in self.bound)

    def system(self, path: Path) -> None:
        if path.is_symlink() and path.parent == Path("/"):
            self.words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            self.bind(path, path)

    def bind(self, source: Path, target: Path, *, writable: bool = False) -> None:
        self.parents(target)
        self.words += ["--bind" if writable else "--ro-bind", str(source), str(target)]
        self.bound.append(target)

    def hide(self, folder: Path) -> None:
        if folder.is_dir() and self.covers(folder):
            self.words += ["--perms", "0555", "--size", "4096", "--tmpfs", str(folder), "--remount-ro", str(folder)]

    def devices(self) -> None:
        self.words += ["--perms", "0755", "--dir", "/dev"]
        for name in _DEVICES:
            self.words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
        links = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1"}
        # shared memory lies in /tmp, so that one size bounds both
        for name, target in (links | {"stderr": "/proc/self/fd/2", "shm": "/tmp"}).items():
            self.words += ["--symlink", target, f"/dev/{name}"]


def interpreter_folders(python: Path) -> list[Path]:
    """Return the folders that an interpreter needs: its own, its environment's, and those its links lead through."""
    folders = [Path(sys.prefix), Path(sys.base_prefix)] if python == Path(sys.executable) else []
    link = python
    while True:
        folders.append(link.parent.parent)
        if not link.is_symlink():
            break
        link = link.parent / link.readlink()
    unique = dict.fromkeys(Path(os.path.normpath(folder)) for folder in folders)
    return [folder for folder in unique if folder != Path("/")]


def start_command(
    python: Path,
    package: Path,
    program: Sequence[str],
    *,
    user: int | None,
    limits: Limits | None,
    seccomp: bool,
    network: bool,
    processes_in_use: int = 0,
) -> list[str]:
    """Return the command that starts a program by way of :mod:`llmcourse.sandbox.entry`.

    Args:
        python: The interpreter.
        package: The folder that holds ``llmcourse``.
        program: The program and its arguments.
        user: The user to become; None to stay.
        limits: What the program may use; None for no limits.
        seccomp: Install the filter.
        network: Let the filter pass sockets of the internet.
        processes_in_use: Processes of this user that do not count.

    Returns:
        The command's words.
    """
    code = f"import sys; sys.path.insert(0, {str(package)!r}); from llmcourse.sandbox.entry import main; main()"
    settings = {
        "user": user,
        "limits": limits and limits.as_dict(),
        "filter": seccomp,
        "network": network,
        "processes_in_use": processes_in_use,
    }
    return [str(python), "-I", "-S", "-c", code, json.dumps(settings), *program]
