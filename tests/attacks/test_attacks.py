"""Every hostile submission gets its honest mark, or none and a plain reason, and reaches nothing else.

All are graded in one run of ``llmcourse grade``, among honest ones. Then each test looks at one thing that must hold.
What must hold of a single attack is one test a file in ``submissions/``.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest
from arena import HONEST, Canaries, honest, llmcourse, make_course, marks, told, triggers
from hostile import NOTEBOOKS, SECRETS, SMALL, attacks, hand_in

from llmcourse.grading.course import Course
from llmcourse.grading.records import read_record
from llmcourse.sandbox import probe

ATTACKS = attacks()
NAMES = [f"{attack.layer}/{attack.name}" for attack in ATTACKS]
GRADER_BYTES = 600 << 20
GRADING_S = 600
WORKERS = "4"  # most of the time they wait for a limit
_BE_REAPER = 36  # of prctl(2): orphans of what this process starts become its children, and can be counted


@dataclass
class Battle:
    """What a run came to."""

    course: Path
    lines: list[str]
    code: int
    seconds: float
    points: dict[tuple[str, str], float]
    heard: str
    before: dict[str, str]
    after: dict[str, str]
    scratch: list[str]
    peaks: dict[str, int]
    left: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def battle(tmp_path_factory):
    found = probe()
    if not (found.isolates and found.nested):
        pytest.skip(f"no working sandbox, so nothing hostile is run: {'; '.join(lack.reason for lack in found.lacks)}")
    folder = tmp_path_factory.mktemp("battle")
    scratch = folder / "tmp"
    scratch.mkdir()
    course = make_course(folder / "course")
    environment = os.environ | {"TMPDIR": str(scratch), "HOSTILE_SECRET": SECRETS["environment"], "COLUMNS": "300"}
    released = subprocess.run(
        llmcourse("release", "--course", str(course)), env=environment, capture_output=True, text=True, check=False
    )
    assert released.returncode == 0, released.stdout + released.stderr
    with Canaries(folder / "marks") as canaries:
        honest(course)
        for attack in ATTACKS:
            hand_in(attack, course, canaries.places)
        before = _hashes(course)
        lines, code, seconds, peaks, left = _grade(course, environment)
        return Battle(
            course=course,
            lines=lines,
            code=code,
            seconds=seconds,
            points=marks(course),
            heard=canaries.heard(),
            before=before,
            after=_hashes(course),
            scratch=sorted(path.name for path in scratch.iterdir()),
            peaks=peaks,
            left=left,
        )


def _grade(course, environment):
    """Grade all, and watch the graders' memory; kill what is left at the end, and say what it was."""
    ctypes.CDLL(None, use_errno=True).prctl(_BE_REAPER, 1, 0, 0, 0)
    known = {process.pid for process in psutil.Process().children(recursive=True)}
    began = time.monotonic()
    command = llmcourse("grade", "--course", str(course), "--workers", WORKERS)
    peaks: dict[str, int] = {}
    with (course.parent / "log").open("w+") as log:
        grader = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        watch = threading.Thread(target=_watch, args=(grader, peaks))
        watch.start()
        try:
            code = grader.wait(GRADING_S)
        except subprocess.TimeoutExpired:
            grader.kill()
            code = grader.wait()
        watch.join()
        log.seek(0)
        lines = log.read().splitlines()
    seconds = time.monotonic() - began
    time.sleep(0.5)
    left = [process for process in psutil.Process().children(recursive=True) if process.pid not in known]
    names = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                names.append(" ".join(process.cmdline()))
                process.kill()
    ctypes.CDLL(None, use_errno=True).prctl(_BE_REAPER, 0, 0, 0, 0)
    return lines, code, seconds, peaks, names


def _watch(grader, peaks):
    """Note the largest memory of the grader and of its workers, which run nothing that is hostile."""
    while grader.poll() is None:
        with contextlib.suppress(psutil.Error, OSError):
            for process in [psutil.Process(grader.pid), *psutil.Process(grader.pid).children()]:
                with contextlib.suppress(psutil.Error, OSError, StopIteration):
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
                    if process.name() != "bwrap":
                        peaks[f"{process.name()} {process.pid}"] = int(peak.split()[1]) << 10
        time.sleep(0.1)


def _hashes(course):
    """Return what stands in the course's folder, but for what grading writes."""
    written = ("gradebook.db", "autograded")
    found = {}
    for folder, _, names in os.walk(course):
        for path in (Path(folder) / name for name in names):
            inner = str(path.relative_to(course))
            if not inner.startswith(written):
                plain = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 26
                found[inner] = hashlib.sha256(path.read_bytes()).hexdigest() if plain else "no plain file"
    return found


@pytest.mark.parametrize("attack", ATTACKS, ids=NAMES)
def test_attack_gets_its_honest_mark_and_nothing_else(battle, attack):
    record = read_record(Course(battle.course), attack.student, attack.assignment)
    assert record is not None, f"{attack.student} was not graded: {battle.lines[-3:]}"
    points = battle.points[attack.student, attack.assignment]
    if record.reason is not None:
        assert points == 0
        assert len(record.reason) < 500 and record.reason.isprintable(), record.reason
        assert "Traceback" not in record.reason
        assert attack.points == 0, record.reason
    assert points == attack.points, (record.reason, record.remarks)
    assert told(battle.course, attack) == set()
    assert attack.student not in battle.heard


def test_honest_students_keep_their_marks(battle):
    assert {student: battle.points[student, SMALL] for student in HONEST} == HONEST


def test_every_submission_is_accounted_for(battle):
    expected = {(attack.student, attack.assignment) for attack in ATTACKS} | {(name, SMALL) for name in HONEST}
    assert set(battle.points) == expected
    assert battle.code in (0, 1), battle.lines[-5:]
    counted = Counter(line.split()[0] for line in battle.lines if line.strip())
    assert counted["graded"] + counted["failed"] == len(expected), battle.lines
    assert not any("\x1b" in line or "\r" in line for line in battle.lines)


def test_nobody_was_called_and_no_file_was_written(battle):
    assert battle.heard == ""
    assert battle.after == battle.before
    assert battle.scratch == []
    assert triggers(battle.course) == []
    assert not list(Path("/").glob("*/hostile_attack_was_here.pth"))


def test_graded_notebooks_are_small_and_where_they_belong(battle):
    folder = battle.course / "autograded"
    expected = {f"{attack.student}/{attack.assignment}" for attack in ATTACKS} | {f"{name}/{SMALL}" for name in HONEST}
    for path in folder.glob("[!.]*/*/**/*"):
        assert not path.is_symlink(), path
        if path.is_file() and path.suffix == ".ipynb" and path.stem in NOTEBOOKS.values():
            assert path.stat().st_size < 3_000_000, path
    assert {"/".join(path.parts[-2:]) for path in folder.glob("[!.]*/*")} <= expected


def test_nothing_is_left_running(battle):
    assert battle.left == []


def test_graders_keep_within_their_memory(battle):
    assert battle.peaks
    assert max(battle.peaks.values()) < GRADER_BYTES, battle.peaks


class _Markup(HTMLParser):
    def __init__(self):
        super().__init__()
        self.hostile = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        text = " ".join(f"{name}={value}" for name, value in attrs if name.startswith("on") or name in ("href", "src"))
        if values.get("id") == "hostile" or "alert(1)" in text or tag == "form":
            self.hostile.append(f"<{tag} {text}>")


@pytest.mark.parametrize("name", ["markup", "markup_in_errors", "markup_in_cells", "terminal_codes"])
def test_feedback_holds_no_markup_of_the_student(battle, name):
    from nbgrader.converters import GenerateFeedback

    student = f"outputs-{name}"
    done, log = Course(battle.course).convert(GenerateFeedback, SMALL, student=student)
    assert done, log
    (page,) = (battle.course / "feedback" / student / SMALL).glob("*.html")
    text = page.read_text(encoding="utf-8")
    parser = _Markup()
    parser.feed(text)
    assert parser.hostile == []
    assert SECRETS["hidden test"] not in text


def test_graded_outputs_hold_no_markup(battle):
    for path in (battle.course / "autograded").glob("[!.]*/*/*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                kinds = set(output.get("data", ())) - {"text/plain", "image/png", "image/jpeg"}
                assert not kinds, (path, kinds)


def test_count(battle, record_property):
    layers = Counter(attack.layer for attack in ATTACKS)
    hurting = sum(attack.hurts for attack in ATTACKS)
    said = ", ".join(f"{count} {layer}" for layer, count in sorted(layers.items()))
    line = f"attacks: {len(ATTACKS)} in {battle.seconds:.0f} s, of which {hurting} could hurt a machine ({said})"
    record_property("attacks", line)
    print(line)
    assert len(ATTACKS) >= 40
    assert len({attack.student for attack in ATTACKS}) == len(ATTACKS)
    for attack in ATTACKS:
        assert attack.tries.endswith("."), attack.student
        assert attack.module.BOUNDS
        assert not (attack.hurts and hasattr(attack.module, "change")), "its guard would be lost"
