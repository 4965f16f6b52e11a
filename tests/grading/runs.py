"""Whole runs of ``llmcourse grade``: a class that hands in, the grader as a process, and what it came to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import small_course as small

from llmcourse.grading.course import Course
from llmcourse.grading.records import read_record
from llmcourse.sandbox import probe

__all__ = ["ANSWERS", "Run", "call", "hand_in_class", "make_released", "needs_sandbox", "points_in"]

ANSWERS = (
    ({"double": small.GOOD_DOUBLE, "mean": small.GOOD_MEAN}, 6),
    ({"double": small.GOOD_DOUBLE}, 3),
    ({}, 0),
)


def needs_sandbox() -> str | None:
    """Return why real submissions cannot be run here; None where they can."""
    found = probe()
    if found.isolates and found.nested:
        return None
    return f"no working sandbox: {'; '.join(lack.reason for lack in found.lacks)}"


def call(*words: str) -> list[str]:
    """Return the command that runs a verb."""
    return [sys.executable, "-c", "from llmcourse.cli import app; app()", *words]


def make_released(folder: Path, *configuration: str) -> Path:
    """Write the small course, with lines of configuration of its own, and release it."""
    small.make_course(folder)
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write("\n".join(("", *configuration, "")))
    done = subprocess.run(call("release", "--course", str(folder)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def hand_in_class(course: Path, count: int) -> dict[str, float]:
    """Hand in for many students; return the points that each has to get."""
    expected = {}
    for number in range(count):
        answers, points = ANSWERS[number % len(ANSWERS)]
        student = f"student{number:04d}"
        small.hand_in(course, student, **answers)
        expected[student] = points
    return expected


def points_in(course: Path) -> dict[str, float]:
    """Return the points of each student that has any, from the gradebook as nbgrader adds them up."""
    with Course(course).gradebook() as gradebook:
        return {entry.student.id: entry.score for entry in gradebook.assignment_submissions(small.ASSIGNMENT)}


@dataclass
class Run:
    """A grader at work.

    Args:
        course: Its folder.
        options: Of ``llmcourse grade``.
        seconds: When each submission was done, from the start.
        lines: What it printed.
    """

    course: Path
    options: tuple[str, ...] = ("--workers", "2")
    seconds: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    code: int | None = None

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            call("grade", "--course", str(self.course), *self.options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"COLUMNS": "300"},
        )

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs, since a test has failed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def outcomes(self) -> Iterator[int]:
        """Yield how many submissions are done, each time that it is one more, to the end of the run."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith(("graded", "failed", "unchanged")):
                self.seconds.append(time.monotonic() - self._began)
                yield len(self.seconds)
        self.code = self.process.wait(20)
        self.process.stdout.close()

    def descendants(self, *words: str) -> list[psutil.Process]:
        """Return what it has started, directly or not, and whose command line holds all of some words."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if all(word in line for word in words):
                found.append(process)
        return found

    def told(self, student: str) -> str:
        """Return the reason and the remarks of a submission."""
        record = read_record(Course(self.course), student, small.ASSIGNMENT)
        assert record is not None, f"{student} has no record: {self.lines[-3:]}"
        return "; ".join([record.reason or "", *record.remarks]).strip("; ")
