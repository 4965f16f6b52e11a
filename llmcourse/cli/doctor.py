"""``llmcourse doctor``: what this machine has, what it lacks, and what helps."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.markup import escape

from llmcourse.cli.terminal import console

# The environment takes 3 GB, the built book and a class's submissions some more.
_DISK_GB = 5.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked for.

    Attributes:
        name: What it is.
        found: What there is, or why there is none.
        passed: Whether it is there.
        remedy: What helps if it is not; what one does without it if it is not needed.
        needed: Whether students and instructors cannot do without it.
    """

    name: str
    found: str
    passed: bool
    remedy: str
    needed: bool = True


def doctor() -> None:
    """Say what this machine has for the course, what it lacks, and what helps.

    Exit code: 0 when all that is needed is there, 1 otherwise.
    """
    checks = list(examine())
    for check in checks:
        word = "[green]ok[/]      " if check.passed else "[red]missing[/] " if check.needed else "[yellow]without[/] "
        console.print(f"{word} {check.name:<22} {escape(check.found)}")
        if not check.passed:
            console.print(f"{'':8} {'':<22} [dim]{escape(check.remedy)}[/]")
    missing = [check.name for check in checks if check.needed and not check.passed]
    console.print(f"\nMissing: {', '.join(missing)}" if missing else "\nAll that is needed is there.")
    raise typer.Exit(1 if missing else 0)


def examine() -> Iterator[Check]:
    """Look for each thing, the one that explains most first."""
    yield _python()
    yield _package("torch", "make test, or: pip install 'torch>=2.11'")
    yield _gpu()
    yield from _sandbox()
    yield _package("nbgrader", "pip install 'llmcourse[grade]'")
    yield _extensions()
    yield _chromium()
    yield _disk(Path.cwd())
    for name in ("make", "git"):
        yield _program(name)


def _python() -> Check:
    return Check(
        name="Python",
        found=f"{platform.python_version()} at {sys.executable}",
        passed=sys.version_info >= (3, 11),
        remedy="The course needs 3.11 or newer: make PYTHON=python3.12 book",
    )


def _package(name: str, remedy: str) -> Check:
    try:
        return Check(name=name, found=importlib.metadata.version(name), passed=True, remedy=remedy)
    except importlib.metadata.PackageNotFoundError:
        return Check(name=name, found="not installed", passed=False, remedy=remedy)


def _gpu() -> Check:
    """Look for a GPU by its driver: importing torch would take seconds."""
    listed = ""
    if program := shutil.which("nvidia-smi"):
        try:
            done = subprocess.run([program, "-L"], capture_output=True, text=True, check=False, timeout=20)
            listed = done.stdout.strip() if done.returncode == 0 else ""
        except (OSError, subprocess.TimeoutExpired):
            listed = ""
    names = [line.partition(" (UUID")[0] for line in listed.splitlines() if line.startswith("GPU ")]
    remedy = "Everything runs on the CPU; tests marked gpu are skipped."
    return Check(name="GPU", found="; ".join(names) or "none", passed=bool(names), remedy=remedy, needed=False)


def _sandbox() -> Iterator[Check]:
    from llmcourse.sandbox import probe

    found = probe()
    reason = "; ".join(lack.reason for lack in found.lacks)
    remedy = " ".join(lack.remedy for lack in found.lacks)
    what = f"bubblewrap {found.version} runs, on Linux {found.kernel}" if found.isolates else reason
    yield Check(name="sandbox", found=what, passed=found.isolates, remedy=remedy)
    if found.isolates:
        ready = found.nested and found.seccomp
        what = "a submission each in its own namespaces" if ready else reason
        yield Check(name="sandbox in the sandbox", found=what, passed=ready, remedy=remedy)


def _extensions() -> Check:
    """Look for nbgrader's extensions where JupyterLab and its server look."""
    folders = _jupyter_folders()
    parts = {
        "JupyterLab": [folder / "labextensions" / "@jupyter" / "nbgrader" for folder in folders],
        "server": [
            folder.parents[1] / "etc" / "jupyter" / "jupyter_server_config.d" / "nbgrader.json" for folder in folders
        ],
    }
    missing = [name for name, places in parts.items() if not any(place.exists() for place in places)]
    found = f"not enabled for: {', '.join(missing)}" if missing else "for JupyterLab and its server"
    remedy = "pip install --force-reinstall --no-deps nbgrader"
    return Check(name="nbgrader's extensions", found=found, passed=not missing, remedy=remedy)


def _jupyter_folders() -> list[Path]:
    return [Path(sys.prefix) / "share" / "jupyter", Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")]


def _chromium() -> Check:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    remedy = "Only the tests of the book need it: sudo apt install chromium"
    return Check(name="Chromium", found=found or "none", passed=found is not None, remedy=remedy, needed=False)


def _disk(folder: Path) -> Check:
    free_gb = shutil.disk_usage(folder).free / 1e9
    return Check(
        name="disk",
        found=f"{free_gb:.1f} GB free at {folder}",
        passed=free_gb >= _DISK_GB and os.access(folder, os.W_OK),
        remedy=f"The course wants {_DISK_GB:g} GB, in a folder that you can write to.",
    )


def _program(name: str) -> Check:
    path = shutil.which(name)
    remedy = f"sudo apt install {name}"
    return Check(name=name, found=path or "not on the PATH", passed=path is not None, remedy=remedy)
