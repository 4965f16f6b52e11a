"""Grading a class here against plain ``nbgrader autograde``, on the same submissions, with the same marks.

Run as ``llmcourse bench grading`` in the course's folder. Both sides are commands in processes of their own, timed from
start to end, so that starting Python, importing PyTorch and warming servers up counts. Stock nbgrader runs each
submission in a kernel of its own, without a sandbox, one after another; it has no option for more. To keep the wait
bearable it is given at most ``--stock`` submissions, and its rate per submission is what is compared.

Memory is that of all processes of a side together, at its peak.
"""

import argparse
import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from llmcourse.runtime.timing import machine

__all__ = ["Graded", "main", "run"]

_STOCK: Final = """
from nbgrader.converters import Autograde
c.Autograde.sanitize_preprocessors = Autograde.sanitize_preprocessors.default()
c.Autograde.autograde_preprocessors = Autograde.autograde_preprocessors.default()
"""
# Looking at memory takes a good part of a core where a dozen processes share that of PyTorch.
_LOOK_S: Final = 1.5


@dataclass(frozen=True, kw_only=True)
class Graded:
    """One side's run: how many submissions, how long, at most how much memory in all and in a worker, and the marks."""

    side: str
    submissions: int
    seconds: float
    peak_bytes: int
    worker_bytes: int
    marks: dict[str, float]

    @property
    def per_minute(self) -> float:
        """Submissions per minute, from the command's start to its end."""
        return 60 * self.submissions / self.seconds


def run(
    *,
    quick: bool = False,
    json_path: Path | None = None,
    sizes: tuple[int, ...] = (40, 200),
    stock: int = 40,
    assignment: str | None = None,
) -> list[tuple[Graded, Graded]]:
    """Measure, print a table, and write JSON if asked.

    Args:
        quick: Three submissions: a check, no measurement.
        json_path: Where to write all that was measured, and on what machine.
        sizes: How many submissions, one measurement each.
        stock: How many of them stock nbgrader is given at most.
        assignment: To which assignment of the course; its last if none is named, since most import PyTorch.

    Returns:
        For each size, stock nbgrader's run and ours.

    Raises:
        ValueError: This is no course folder, or a command failed; the message quotes what it said last.
    """
    found = []
    print(", ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    for size in (3,) if quick else sizes:
        with tempfile.TemporaryDirectory(prefix="bench-grading-") as folder:
            course = _Course(Path.cwd(), Path(folder), size, assignment)
            theirs, ours = course.grade_stock(min(size, stock)), course.grade_here()
        found.append((theirs, ours))
        print(course.assignment)
        _print(theirs, ours)
    if json_path is not None:
        rows = [{"stock": asdict(theirs), "here": asdict(ours)} for theirs, ours in found]
        json_path.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return found


def _print(theirs: Graded, ours: Graded) -> None:
    for side in (theirs, ours):
        print(
            f"{side.side:>18}: {side.submissions} submissions in {side.seconds:.1f} s, {side.per_minute:.0f} a minute, "
            f"{1000 * side.seconds / side.submissions:.0f} ms each, peak {side.peak_bytes / 2**20:.0f} MiB"
            f"{f', a worker {side.worker_bytes / 2**20:.0f} MiB' if side.worker_bytes else ''}"
        )
    differing = sorted(name for name in theirs.marks if theirs.marks[name] != ours.marks.get(name))
    marks = f"marks differ for {', '.join(differing)}" if differing else f"{len(theirs.marks)} marks equal"
    print(
        f"{'ratio':>18}: {ours.per_minute / theirs.per_minute:.1f} times the submissions a minute; {marks}", flush=True
    )


class _Course:
    """A copy of a course with generated submissions: right ones, empty ones, and half done ones in turn."""

    def __init__(self, origin: Path, folder: Path, size: int, assignment: str | None = None) -> None:
        if not (origin / "nbgrader_config.py").is_file():
            raise ValueError(f"{origin} holds no nbgrader_config.py: run this in the course's folder")
        self.folder = folder
        shutil.copy(origin / "nbgrader_config.py", folder)
        shutil.copytree(origin / "solutions", folder / "solutions")
        known = sorted({path.parent.name for path in (folder / "solutions").glob("*/*.ipynb")})
        self.assignment = assignment or known[-1]
        if self.assignment not in known:
            raise ValueError(f"there is no assignment {assignment!r}; there are: {', '.join(known)}")
        _command(folder, "nbgrader", "generate_assignment", self.assignment)
        for number, answers in zip(range(size), self._answers(), strict=False):
            target = folder / "submitted" / f"student{number:04d}" / self.assignment
            target.mkdir(parents=True)
            for name, text in answers.items():
                (target / f"{name}.ipynb").write_text(text, encoding="utf-8")

    def _answers(self) -> Iterator[dict[str, str]]:
        paths = sorted((self.folder / "solutions" / self.assignment).glob("*.ipynb"))
        number = 0
        while True:
            yield {path.stem: self._answer(path, number) for path in paths}
            number += 1

    def _answer(self, path: Path, number: int) -> str:
        """Return a student's notebook: every third is right, every third half so, the others untouched."""
        released = json.loads((self.folder / "release" / self.assignment / path.name).read_text(encoding="utf-8"))
        solved = {_id(cell): cell["source"] for cell in _answers_in(json.loads(path.read_text(encoding="utf-8")))}
        answers = _answers_in(released)
        for cell in answers[: round(len(answers) * (1.0, 0.5, 0.0)[number % 3])]:
            cell["source"] = [*solved[_id(cell)], f"\n# {number}"]
        return json.dumps(released)

    def grade_stock(self, size: int) -> Graded:
        """Grade some of the submissions by plain nbgrader, which here has its own preprocessors."""
        twin = self.folder / "stock"
        twin.mkdir()
        text = (self.folder / "nbgrader_config.py").read_text(encoding="utf-8")
        (twin / "nbgrader_config.py").write_text(text + _STOCK, encoding="utf-8")
        shutil.copytree(self.folder / "solutions", twin / "solutions")
        _command(twin, "nbgrader", "generate_assignment", self.assignment)
        for student in sorted((self.folder / "submitted").iterdir())[:size]:
            shutil.copytree(student, twin / "submitted" / student.name)
        seconds, peak, worker = _command(twin, "nbgrader", "autograde", self.assignment)
        return Graded(
            side="stock nbgrader",
            submissions=size,
            seconds=seconds,
            peak_bytes=peak,
            worker_bytes=worker,
            marks=self._marks(twin),
        )

    def grade_here(self) -> Graded:
        """Grade all submissions in sandboxes, with judges."""
        seconds, peak, worker = _command(self.folder, "llmcourse", "grade", self.assignment)
        return Graded(
            side="llmcourse grade",
            submissions=len(list((self.folder / "submitted").iterdir())),
            seconds=seconds,
            peak_bytes=peak,
            worker_bytes=worker,
            marks=self._marks(self.folder),
        )

    def _marks(self, folder: Path) -> dict[str, float]:
        _command(folder, "nbgrader", "export")
        with (folder / "grades.csv").open(encoding="utf-8") as file:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def _answers_in(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells that a student fills in; their source is a list of lines, as nbformat writes it."""
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]


def _id(cell: dict[str, Any]) -> str:
    return cell["metadata"]["nbgrader"]["grade_id"]


def _command(folder: Path, *words: str) -> tuple[float, int, int]:
    """Run a command of this environment.

    Returns its seconds, and the peaks of memory of it with all that it starts, and of one worker.
    """
    program = Path(sysconfig.get_path("scripts")) / words[0]
    began, peak, worker = time.perf_counter(), 0, 0
    with (folder / "command.log").open("w+b") as log:
        process = subprocess.Popen([str(program), *words[1:]], cwd=folder, stdout=log, stderr=log, env=os.environ)
        while not _ends(process, _LOOK_S):
            total, largest = _memory(process.pid)
            peak, worker = max(peak, total), max(worker, largest)
        seconds = time.perf_counter() - began
        log.seek(0)
        said = log.read().decode(errors="replace")
    if process.returncode not in (0, 3):  # 3: some need a person's marks
        raise ValueError(f"{' '.join(words)} failed: {said.strip().splitlines()[-1:] or ['it said nothing']}")
    return seconds, peak, worker


def _ends(process: "subprocess.Popen[bytes]", within_s: float) -> bool:
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _memory(pid: int) -> tuple[int, int]:
    """Return the memory of a process and its descendants, what they share counted once, and of its largest worker."""
    import psutil

    total = largest = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error, FileNotFoundError):  # it has ended meanwhile
                bytes_now = one.memory_full_info().pss
                total += bytes_now
                if any("LokyProcess" in word for word in one.cmdline()):
                    largest = max(largest, bytes_now)
    return total, largest


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.grading", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three submissions")
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 200], help="how many submissions")
    parser.add_argument("--stock", type=int, default=40, help="how many of them stock nbgrader gets at most")
    parser.add_argument("--assignment", help="to which assignment; the course's last if none is named")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write what was measured there")
    given = parser.parse_args(arguments)
    try:
        run(
            quick=given.quick,
            json_path=given.json,
            sizes=tuple(given.sizes),
            stock=given.stock,
            assignment=given.assignment,
        )
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
