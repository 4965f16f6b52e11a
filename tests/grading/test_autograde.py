"""Grading a whole course: the same marks as nbgrader's, and none lost or half written whatever goes wrong.

Notebooks run in the worker's own process here (fake_execution.py); tests/cli/test_grade.py grades in real kernels.
"""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import fake_execution as FAKE
import nbformat
import psutil
import pytest
import small_course as SMALL
from nbgrader.converters import Autograde, GenerateAssignment

from llmcourse.grading import autograde, room, transaction, writer
from llmcourse.grading.course import Course, CourseError
from llmcourse.grading.pool import Local
from llmcourse.grading.records import one_grader
from llmcourse.grading.submissions import find_submissions
from llmcourse.sandbox import probe

POINTS = {"right": 6, "half": 3, "empty": 0}
ANSWERS = {
    "right": {"double": SMALL.GOOD_DOUBLE, "mean": SMALL.GOOD_MEAN},
    "half": {"double": SMALL.GOOD_DOUBLE},
    "empty": {},
}


class Inline:
    """Workers that are no processes: each task runs when it is submitted."""

    deaths = ()
    tries = 1

    def width(self):
        return 1

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future

    def look(self):
        raise AssertionError("there was nothing to wait for")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = SMALL.make_course(tmp_path_factory.mktemp("released") / "course")
    FAKE.quicken(folder)
    done, log = Course(folder).convert(GenerateAssignment, SMALL.ASSIGNMENT)
    assert done, log
    for student, answers in ANSWERS.items():
        SMALL.hand_in(folder, student, **answers)
    return folder


@pytest.fixture
def folder(released, tmp_path):
    shutil.copytree(released, tmp_path / "course")
    return tmp_path / "course"


def grade(folder, workers=None, **how):
    course = Course(folder)
    found = find_submissions(course, [SMALL.ASSIGNMENT])
    outcomes = autograde.grade(course, found, workers or Inline(), **how)
    return {outcome.submission.student: outcome for outcome in outcomes}


def points(outcomes):
    return {student: outcome.points for student, outcome in outcomes.items()}


def cells_of(folder, student):
    path = folder / "autograded" / student / SMALL.ASSIGNMENT / f"{SMALL.NOTEBOOK}.ipynb"
    return path.stat().st_mode, nbformat.read(path, as_version=4).cells


def test_marks_and_notebooks_are_those_of_nbgrader(folder, tmp_path):
    (folder / "submitted" / "half" / SMALL.ASSIGNMENT / "data.txt").write_text("1 2 3")
    (folder / "solutions" / SMALL.ASSIGNMENT / "table.csv").write_text("a,b")
    shutil.copytree(folder, tmp_path / "plain")
    plain = Course(tmp_path / "plain")
    assert plain.convert(Autograde, SMALL.ASSIGNMENT)[0]
    assert points(grade(folder)) == POINTS
    assert FAKE.marks(folder) == FAKE.marks(plain.root)
    assert all(cells_of(folder, student) == cells_of(plain.root, student) for student in POINTS)
    ours, theirs = (
        {str(path.relative_to(root)) for path in root.glob("autograded/[!.]*/**/*")} for root in (folder, plain.root)
    )
    assert ours == theirs


def test_grading_again_changes_nothing(folder):
    grade(folder)
    before = FAKE.marks(folder)
    again = grade(folder)
    assert all(outcome.unchanged for outcome in again.values())
    assert points(again) == points(grade(folder, force=True)) == POINTS
    assert FAKE.marks(folder) == before


def test_a_gradebook_that_was_replaced_is_filled_again(released, folder):
    grade(folder)
    shutil.copy(released / "gradebook.db", folder)
    again = grade(folder)
    assert points(again) == POINTS
    assert not any(outcome.unchanged for outcome in again.values())


@pytest.mark.parametrize("step", ["forget", "_marked", "write_record"])
def test_a_grader_that_ends_between_two_steps_is_followed_by_one_that_finishes(folder, monkeypatch, step):
    SMALL.hand_in(folder, "right")
    grade(folder)
    old = FAKE.marks(folder)
    SMALL.hand_in(folder, "right", **ANSWERS["right"])
    original = getattr(writer, step)

    def end(*arguments, **named):
        original(*arguments, **named)
        raise SystemExit

    monkeypatch.setattr(writer, step, end)
    with pytest.raises(SystemExit):
        grade(folder)
    between = FAKE.marks(folder)
    monkeypatch.undo()
    assert points(grade(folder)) == POINTS
    assert between in (old, FAKE.marks(folder))


def test_marks_are_written_together_or_not_at_all(folder, monkeypatch):
    def fail(*_, **__):
        raise SystemExit

    monkeypatch.setattr(writer, "outcome_of", fail)  # the last step of a transaction
    before = FAKE.marks(folder)
    with pytest.raises(SystemExit):
        grade(folder)
    assert FAKE.marks(folder) == before


def test_an_interrupt_waits_for_the_submission_at_hand(folder, monkeypatch):
    original = writer._marked

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(writer, "_marked", interrupted)
    course, seen = Course(folder), []
    with pytest.raises(KeyboardInterrupt):
        for outcome in autograde.grade(course, find_submissions(course, [SMALL.ASSIGNMENT]), Inline()):
            seen.append(outcome.submission.student)
    assert len(seen) == 1
    monkeypatch.undo()
    assert [student for student, outcome in grade(folder).items() if outcome.unchanged] == seen


def test_a_submission_that_kills_its_worker_gets_a_reason_and_the_others_marks(folder):
    SMALL.hand_in(folder, "hostile", double="import os\nos.kill(os.getpid(), 9)")
    with Local(1) as workers:
        outcomes = grade(folder, workers)
    assert "was killed" in outcomes.pop("hostile").reason
    assert points(outcomes) == POINTS


def test_a_submission_that_must_not_be_read_gets_a_reason(folder):
    path = SMALL.hand_in(folder, "linked")
    path.unlink()
    path.symlink_to(folder / "solutions" / SMALL.ASSIGNMENT / path.name)
    outcomes = grade(folder)
    assert "symbolic link" in outcomes.pop("linked").reason
    assert points(outcomes) == POINTS


@pytest.fixture
def locked(folder, monkeypatch):
    """Hold the gradebook's lock; return what frees it."""
    monkeypatch.setattr(transaction, "_BUSY_S", 0.05)
    monkeypatch.setattr(writer, "_WAITS_S", (0.01, 0.01))
    with sqlite3.connect(folder / "gradebook.db", isolation_level=None, check_same_thread=False) as other:
        other.execute("BEGIN IMMEDIATE")
        yield lambda: other.in_transaction and other.rollback()


def test_a_locked_gradebook_is_waited_for(folder, locked):
    said = []

    def say(line):
        said.append(line)
        locked()

    assert points(grade(folder, say=say)) == POINTS
    assert said == ["the gradebook cannot be used (database is locked); trying again in 0.01 s"]


def test_a_gradebook_that_stays_locked_stops_the_run_and_nothing_is_lost(folder, locked):
    with pytest.raises(transaction.GradebookError, match="database is locked"):
        grade(folder)
    locked()
    assert points(grade(folder)) == POINTS


def test_without_room_nothing_is_begun(folder, monkeypatch):
    before = FAKE.marks(folder)
    monkeypatch.setattr(room, "FREE_BYTES", 1 << 60)
    with pytest.raises(room.DiskFullError, match=r"the disk of .* is full .*make room"):
        grade(folder)
    assert FAKE.marks(folder) == before
    monkeypatch.undo()
    assert points(grade(folder)) == POINTS


FULL = """
import json, shutil, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_autograde as common

common.room.FREE_BYTES = 0
common.writer._WAITS_S = (0.01,)
folder, filler = Path("/disk/course"), Path("/disk/filler")
told = []
for left in range(0, 400_000, 4096):
    shutil.copytree({folder!r}, folder)
    before = common.FAKE.marks(folder)
    with filler.open("wb") as file:
        file.write(bytes(shutil.disk_usage("/disk").free - left))
    try:
        assert common.points(common.grade(folder)) == common.POINTS
        break
    except (common.room.DiskFullError, common.transaction.GradebookError) as error:
        told.append(type(error).__name__)
    between = common.FAKE.marks(folder)
    filler.unlink()
    assert common.points(common.grade(folder)) == common.POINTS
    after = common.FAKE.marks(folder)
    assert all(between[key] in (before.get(key), after[key]) for key in between)
    shutil.rmtree(folder)
print(json.dumps(told))
"""


def test_a_disk_that_fills_up_stops_the_run_and_damages_nothing(folder):
    """On a small disk in memory, with ever more room left, so that one step after another is the one that fails."""
    if not probe().isolates:
        pytest.skip("needs bubblewrap, for a small disk")
    code = FULL.format(tests=str(Path(__file__).parent), folder=str(folder))
    disk = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--size", "8000000", "--tmpfs", "/disk"]
    command = [probe().bubblewrap, *disk, sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {"DiskFullError", "GradebookError"} == set(json.loads(done.stdout)), done.stdout


def test_two_graders_at_once_are_refused(folder):
    with one_grader(Course(folder)), pytest.raises(CourseError, match="another `llmcourse grade` is at work"):
        grade(folder)
    assert points(grade(folder)) == POINTS


@pytest.fixture
def command(folder, tmp_path, monkeypatch):
    """Return a command that grades fifteen submissions one at a time."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a grader that is killed cannot remove its workers' folder
    for number, answer in enumerate(answer for answer in ANSWERS for _ in range(4)):
        slow = "import time\ntime.sleep(0.3)\n" + ANSWERS[answer].get("double", "double = None\n")
        SMALL.hand_in(folder, f"{answer} {number}", **(ANSWERS[answer] | {"double": slow}))
    call = "from llmcourse.cli import app; app()"
    return [sys.executable, "-c", call, "grade", "--course", str(folder), "--workers", "1"]


def started(command):
    """Start grading, and return when the first submission has its mark."""
    grader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = next((line for line in grader.stdout if line.startswith("graded")), None)
    assert seen, grader.wait(10)
    return grader, psutil.Process(grader.pid).children(recursive=True)


def finished(command, folder):
    """Grade what is left, and return the last line that is printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"})
    assert done.returncode == 0, done.stdout + done.stderr
    sums = {}
    for (student, _), (score, _) in FAKE.marks(folder).items():
        sums[student] = sums.get(student, 0) + score
    assert sums == {student: POINTS[student.split()[0]] for student in sums}
    assert len(sums) == 15
    return done.stdout.splitlines()[-1]


def test_a_grader_killed_at_any_moment_leaves_whole_marks(folder, command):
    moments = random.Random(0)
    for _ in range(2):
        grader, _ = started(command)
        time.sleep(moments.uniform(0, 0.1))
        grader.kill()
        grader.communicate(timeout=20)
        by_student = {}
        for (student, _), (score, _) in FAKE.marks(folder).items():
            by_student.setdefault(student, []).append(score)
        assert by_student
        assert all(None not in scores and len(scores) == 3 for scores in by_student.values())
    assert re.fullmatch(r"15 graded \([1-9]\d* unchanged\), 0 failed, 0 need a person", finished(command, folder))


def test_ctrl_c_stops_between_two_submissions_and_ends_the_workers(folder, command):
    grader, workers = started(command)
    grader.send_signal(signal.SIGINT)
    output, _ = grader.communicate(timeout=20)
    assert grader.returncode == 130
    assert re.search(r"Stopped: \d+ graded \(0 unchanged\), 0 failed, 0 need a person, \d+ left\n$", output), output
    assert not psutil.wait_procs(workers, timeout=10)[1]
    assert re.fullmatch(r"15 graded \([1-9]\d* unchanged\), 0 failed, 0 need a person", finished(command, folder))
