"""What this machine can isolate, found out by trying it.

Having bubblewrap is not enough: Ubuntu 24.04 lets it run only under an AppArmor profile, containers refuse
namespaces or hide /proc, and inside some of them root cannot become another user. So each feature is tried, once per
process, by a program that reports from the inside; what is lacking comes with the reason and a remedy.
"""

import functools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llmcourse.sandbox import seccomp
from llmcourse.sandbox.bubblewrap import Sandbox
from llmcourse.sandbox.limits import Limits

__all__ = ["Lack", "Probe", "probe"]

# --size for tmpfs came with 0.7.0
_OLDEST_BUBBLEWRAP: Final = (0, 7, 0)
_PROFILE: Final = (
    "abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) "
    "{ userns, include if exists <local/bwrap> }"
)
_REPORT: Final = """
import json, os
from pathlib import Path
status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines()) \\
    if Path("/proc/self/status").exists() else {}
import sys; sys.path.insert(0, "/run/llmcourse")
from llmcourse.sandbox import kernel, seccomp
found = {"uid": os.getuid(), "capabilities": int(status.get("CapEff", "0"), 16), "nested": "", "seccomp": ""}
for name in ("seccomp", "nested"):
    child = os.fork()
    if child == 0:
        try:
            if name == "seccomp":
                seccomp.install_filter()
            else:
                uid, gid = os.getuid(), os.getgid()
                kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWNET)
                kernel.map_own_user(uid, gid)
                kernel.mount("tmpfs", "/tmp", "tmpfs", 0, "size=4k")
        except (OSError, ValueError) as error:
            Path("/tmp/reason").write_text(str(error))
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        found[name] = Path("/tmp/reason").read_text()
print(json.dumps(found))
"""


@dataclass(frozen=True, kw_only=True)
class Lack:
    """Something that this machine cannot do: what, why, and what helps."""

    what: str
    reason: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What this machine can isolate.

    Attributes:
        kernel: The kernel's release.
        machine: Its architecture.
        bubblewrap: Where bubblewrap is.
        version: Bubblewrap's version.
        isolates: Whether a program runs in a sandbox, as an unprivileged user, without capabilities.
        nested: Whether a process in it can isolate its children further.
        procfs: Whether it gets a /proc of its own.
        seccomp: Whether system calls can be filtered.
        lacks: What is missing, with reason and remedy.
    """

    kernel: str
    machine: str
    bubblewrap: Path | None
    version: str | None
    isolates: bool
    nested: bool
    procfs: bool
    seccomp: bool
    lacks: tuple[Lack, ...]


@functools.cache
def probe() -> Probe:
    """Try what this machine can isolate; takes a tenth of a second, once per process."""
    path = shutil.which("bwrap")
    if not sys.platform.startswith("linux"):
        lack = Lack(what="bubblewrap", reason=f"{sys.platform} has no Linux namespaces", remedy="Use Linux, or WSL 2.")
        return _result(None, None, {}, procfs=False, lacks=[lack])
    if path is None:
        remedy = "Install it: sudo apt install bubblewrap"
        return _result(None, None, {}, procfs=False, lacks=[Lack(what="bubblewrap", reason=_ABSENT, remedy=remedy)])
    version = _version(path)
    if (number := tuple(int(part) for part in re.findall(r"\d+", version)[:3])) < _OLDEST_BUBBLEWRAP:
        remedy = "Install 0.7 or newer: Debian 12, Ubuntu 24.04 and later bring it."
        lack = Lack(what="bubblewrap", reason=f"version {version} cannot limit the size of /tmp", remedy=remedy)
        return _result(path, version, {}, procfs=False, lacks=[lack])
    assert number, version
    return _try(path, version)


_ABSENT: Final = "bwrap is not on the PATH"


def _version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("bubblewrap ") or "0"


def _try(path: str, version: str) -> Probe:
    report, first = _inside(path, procfs=True)
    procfs = report is not None
    if report is None:
        report, _ = _inside(path, procfs=False)
    lacks = []
    if report is None:
        lacks.append(Lack(what="bubblewrap", reason=f"it cannot run: {first}", remedy=_remedy(first)))
    elif report["uid"] == 0 or report["capabilities"]:
        reason = f"programs in it keep user {report['uid']}, capabilities {report['capabilities']:#x}"
        lacks.append(Lack(what="bubblewrap", reason=reason, remedy="Start it as an ordinary user."))
        report = None
    found = report or {}
    for name, what in (("nested", "namespaces inside of the sandbox"), ("seccomp", "seccomp")):
        if reason := found.get(name):
            lacks.append(Lack(what=what, reason=reason, remedy=_remedy(reason)))
    if report and not procfs:
        remedy = "Programs get an empty /proc; outside of a container they get their own."
        lacks.append(Lack(what="a /proc of its own", reason=first, remedy=remedy))
    return _result(path, version, found, procfs=procfs and bool(report), lacks=lacks)


def _inside(path: str, *, procfs: bool) -> tuple[dict | None, str]:
    """Run the report in a sandbox; return it, or None and why there is none."""
    sandbox = Sandbox(limits=Limits(wall_s=20), nested=True, procfs=procfs)
    command = sandbox.command([str(sandbox.python), "-I", "-S", "-c", _REPORT], bwrap=path)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return None, "it did not end in 20 seconds"
    if done.returncode == 0:
        return json.loads(done.stdout), ""
    return None, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def _setting(name: str) -> str:
    path = Path("/proc/sys") / name
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def _remedy(reason: str) -> str:
    """Return what helps, judged by the kernel's settings first and by the message second."""
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1" and os.geteuid() != 0:
        return (
            f"Ubuntu forbids it without an AppArmor profile. Write to /etc/apparmor.d/bwrap: {_PROFILE} "
            "Then: sudo systemctl reload apparmor"
        )
    if _setting("user/max_user_namespaces") == "0":
        return "User namespaces are switched off: sudo sysctl user.max_user_namespaces=15000"
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "User namespaces are switched off: sudo sysctl kernel.unprivileged_userns_clone=1"
    if "execvp" in reason or "could not start" in reason or "Permission denied" in reason:
        return "Let all users read the environment (chmod -R a+rX on it and on its Python), or use another."
    return "In a container: allow namespaces (docker run --security-opt seccomp=unconfined), or use a virtual machine."


def _result(path: str | None, version: str | None, report: dict, *, procfs: bool, lacks: list[Lack]) -> Probe:
    filtered = not report["seccomp"] if report else seccomp.supported() and Path("/proc/sys/kernel/seccomp").exists()
    return Probe(
        kernel=platform.release(),
        machine=platform.machine(),
        bubblewrap=Path(path) if path else None,
        version=version,
        isolates=bool(report) and filtered,
        nested=bool(report) and not report["nested"],
        procfs=procfs,
        seccomp=filtered,
        lacks=tuple(lacks),
    )
