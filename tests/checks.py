"""Run everything that CI runs, one step after another, and say at the end what happened.

``make test`` calls this. Each step prints one line when it starts and one when it ends; the output of a step is shown
when it fails, except for pytest, whose progress is shown as it goes. All steps run even if one fails, so that one
run names everything that is wrong.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BUDGET_S = 1500


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command, and what to do when it fails."""

    name: str
    command: Sequence[str]
    remedy: str
    live: bool = False


def steps(jobs: int) -> list[Step]:
    """Return the steps in the order of how soon they find a mistake."""
    pytest = ["pytest", "tests", "llmcourse", "chapters", "solutions", "-m", "not soak", "--doctest-modules"]
    pytest += ["--nbval", "--nbval-current-env", "-n", str(jobs), "--dist", "loadfile", "--durations", "20", "-q"]
    pytest += ["--no-loadscope-reorder"]  # tests/conftest.py puts the slow files first
    return [
        Step(name="lint", command=["ruff", "check", "."], remedy="run: ruff check --fix ."),
        Step(name="format", command=["ruff", "format", "--check", "."], remedy="run: ruff format ."),
        Step(name="spelling", command=["typos"], remedy="mend it, or add the word to [tool.typos] in pyproject.toml"),
        Step(
            name="docstrings", command=["pydoclint", "--quiet", "llmcourse"], remedy="name each argument and no other"
        ),
        Step(name="imports", command=["lint-imports"], remedy="imports go down only: see CONTRIBUTING.md"),
        Step(name="types", command=["basedpyright"], remedy="give the type that is meant"),
        Step(
            name="book",
            command=["make", "--no-print-directory", "rebuild"],
            remedy="each warning is an error, and names its file and line",
        ),
        Step(name="tests", command=pytest, remedy="run one test alone: pytest FILE::NAME", live=True),
    ]


def system_packages() -> None:
    """Bring Chromium and bubblewrap where that is permitted; say plainly where it is not."""
    missing = [
        name for name, program in (("chromium", "chromium"), ("bubblewrap", "bwrap")) if not shutil.which(program)
    ]
    if not missing or not shutil.which("apt-get"):
        return
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    if os.geteuid() != 0 and not shutil.which("sudo"):
        return
    print(f"==> {' and '.join(missing)}: asking apt", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ([*apt, "update", "-qq"], [*apt, "install", "-y", "-qq", "--no-install-recommends", *missing]):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if not shutil.which("chromium"):
        print("==> chromium: asking Playwright", flush=True)
        install = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def run(step: Step) -> tuple[bool, float]:
    """Run one step; return whether it passed, and its seconds."""
    print(f"==> {step.name}", flush=True)
    began = time.perf_counter()
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        step.command,
        cwd=ROOT,
        env=environment,
        capture_output=not step.live,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    taken_s = time.perf_counter() - began
    if done.returncode and not step.live:
        print(done.stdout + done.stderr)
    return done.returncode == 0, taken_s


def main() -> int:
    """Run all steps and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="processes for the tests")
    jobs = parser.parse_args().jobs
    began = time.perf_counter()
    system_packages()
    results = [(step, *run(step)) for step in steps(jobs)]
    total_s = time.perf_counter() - began
    print()
    for step, passed, taken_s in results:
        print(
            f"{'passed' if passed else 'FAILED'}  {taken_s:6.1f} s  {step.name}{'' if passed else ': ' + step.remedy}"
        )
    print(f"        {total_s:6.1f} s  in all, of {BUDGET_S} s that this may take on two cores")
    failed = sum(not passed for _, passed, _ in results)
    if total_s > BUDGET_S:
        print("FAILED: too slow; the 20 slowest items stand above. What is long belongs to `make soak`.")
    return 1 if failed or total_s > BUDGET_S else 0


if __name__ == "__main__":
    sys.exit(main())
