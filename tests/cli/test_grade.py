"""From release to report on real files: good, half right, empty, broken, wrongly named and late submissions."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runs import needs_sandbox

DUE = "2026-12-31 00:00:00 UTC"


@pytest.fixture(scope="module")
def course(small, run, tmp_path_factory):
    """Return a course that was released, with submissions of all kinds."""
    if lack := needs_sandbox():
        pytest.skip(lack)
    folder = small.make_course(tmp_path_factory.mktemp("grade") / "course")
    config = folder / "nbgrader_config.py"
    text = config.read_text()
    assert "c.DueDates.dates = {}" in text
    config.write_text(text.replace("c.DueDates.dates = {}", f"c.DueDates.dates = {{'{small.ASSIGNMENT}': '{DUE}'}}"))
    code, output = run("release", "--course", folder)
    assert code == 0, output
    half = "def mean(values):\n    return sum(values) / len(values)\n"
    small.hand_in(folder, "all right", double=small.GOOD_DOUBLE, mean=small.GOOD_MEAN, timestamp="2026-12-30 10:00 UTC")
    small.hand_in(folder, "half", double=small.GOOD_DOUBLE, mean=half, timestamp="2027-01-02 00:00:00 UTC")
    small.hand_in(folder, "empty")
    small.hand_in(folder, "broken").write_text('{"cells": [')
    small.hand_in(folder, "misnamed", name="steps (1)", double=small.GOOD_DOUBLE)
    return folder


@pytest.fixture(scope="module")
def plain(course, tmp_path_factory):
    """Return a copy of the ungraded course that the nbgrader commands alone have graded."""
    folder = tmp_path_factory.mktemp("plain") / "course"
    shutil.copytree(course, folder)
    nbgrader(folder, "generate_assignment", "01_arithmetic", "--force")
    nbgrader(folder, "autograde", "01_arithmetic", fails=True)  # two submissions cannot be graded
    nbgrader(folder, "generate_feedback", "01_arithmetic")
    nbgrader(folder, "export")
    return folder


def nbgrader(folder, *arguments, fails=False):
    # called by its path, with no activated environment
    command = [str(Path(sys.executable).with_name("nbgrader")), *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def graded(course, plain, run):
    """Return the exit code and the lines of grading everything, after ``plain`` has copied the course."""
    code, output = run("grade", "--course", course)
    return code, output.splitlines()


def line_of(lines, student):
    return next(line for line in lines if f" {student}  " in line)


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("all right", ["graded", "6 / 6"]),
        ("half", ["graded", "3 / 6", "late by 2.0 days"]),
        ("empty", ["graded", "0 / 6"]),
        ("broken", ["failed", "steps.ipynb is not valid JSON (line 1, column 12)"]),
        ("misnamed", ["failed", "wrong file name: it holds steps (1).ipynb where steps.ipynb is expected"]),
    ],
)
def test_each_submission_gets_a_mark_or_a_reason(graded, student, says):
    line = line_of(graded[1], student)
    assert all(words in line for words in says), line


def test_the_last_line_and_the_exit_code_count(graded):
    assert graded[0] == 1
    assert graded[1][-1] == "3 graded (0 unchanged), 2 failed, 0 need a person"


def exported(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_plain_nbgrader_gives_the_same_marks(course, plain, graded, run):
    run("report", "--course", course, "--csv", course / "marks.csv")
    ours, theirs = exported(course / "marks.csv"), exported(plain / "grades.csv")
    assert set(ours) == set(theirs) == {"all right", "half", "empty", "broken", "misnamed"}
    for student, row in theirs.items():
        assert {name: ours[student][name] for name in row} == row
    assert {student: float(row["score"]) for student, row in theirs.items()} == {
        "all right": 6, "half": 3, "empty": 0, "broken": 0, "misnamed": 0
    }  # fmt: skip


def test_plain_nbgrader_exports_from_the_same_gradebook(course, graded, run):
    run("report", "--course", course, "--csv", course / "marks.csv")
    nbgrader(course, "export")
    ours, theirs = exported(course / "marks.csv"), exported(course / "grades.csv")
    assert [{name: ours[student][name] for name in row} for student, row in theirs.items()] == list(theirs.values())


def test_plain_nbgrader_writes_feedback_for_what_was_graded(plain):
    assert sorted(path.parent.parent.name for path in plain.glob("feedback/*/*/steps.html")) == [
        "all right", "empty", "half"
    ]  # fmt: skip


def test_the_table_shows_functions_lateness_and_reasons(course, graded, run):
    code, output = run("report", "01_arithmetic", "--course", course)
    assert code == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in output.splitlines()]
    assert ["half", "3", "0", "3", "2.0 days", "graded"] in rows
    assert ["all right", "3", "3", "6", "graded"] in rows
    assert ["broken", "–", "–", "0", "failed"] in rows
    assert "  broken: steps.ipynb is not valid JSON (line 1, column 12)" in output


def test_what_is_unchanged_is_skipped_and_force_grades_again(course, graded, run):
    code, output = run("grade", "--course", course)
    assert code == 1
    assert output.splitlines()[-1] == "3 graded (3 unchanged), 2 failed, 0 need a person"
    code, output = run("grade", "--course", course, "--student", "all right", "--force")
    assert (code, output.splitlines()[-1]) == (0, "1 graded (0 unchanged), 0 failed, 0 need a person")


def test_a_new_version_replaces_the_mark_also_when_it_fails(course, graded, run, small):
    small.hand_in(course, "fickle", double=small.GOOD_DOUBLE)
    assert "3 / 6" in run("grade", "--course", course, "--student", "fickle")[1]
    path = small.hand_in(course, "fickle")
    path.write_text("[\x1b[2J")
    code, output = run("grade", "--course", course, "--student", "fickle")
    assert code == 1
    assert "steps.ipynb is not valid JSON" in line_of(output.splitlines(), "fickle")
    _, table = run("report", "--course", course)
    assert "  fickle: steps.ipynb is not valid JSON" in table
    assert not (course / "autograded" / "fickle" / small.ASSIGNMENT).exists()
    shutil.rmtree(path.parents[1])
    _, table = run("report", "--course", course)
    assert "  fickle: its files are no longer in submitted/" in table


def test_limit_stops_early_and_says_what_is_left(course, graded, run):
    code, output = run("grade", "--course", course, "--limit", "1", "--force")
    assert code == 0
    assert output.splitlines()[-1] == "1 graded (0 unchanged), 0 failed, 0 need a person, 4 left"


def test_a_scheduler_that_does_not_answer_stops_the_run(course, graded, run, monkeypatch):
    monkeypatch.setattr("llmcourse.grading.cluster._CONNECT_S", 1)
    code, output = run("grade", "--course", course, "--scheduler", "tcp://127.0.0.1:1")
    assert code == 1
    assert "no Dask scheduler answers at 'tcp://127.0.0.1:1'" in output
    assert output.splitlines()[-1] == "Stopped: 0 graded (0 unchanged), 0 failed, 0 need a person, 5 left"


def test_what_had_to_be_repaired_stands_in_its_line(course, graded, run, small):
    path = small.hand_in(course, "repaired", double=small.GOOD_DOUBLE)
    path.write_text(path.read_text().replace("assert mean([1, 3]) == 2", "pass"))
    code, output = run("grade", "--course", course, "--student", "repaired", "--workers", "1")
    shutil.rmtree(path.parents[1])
    assert code == 0
    assert re.search(r"graded +repaired  01_arithmetic  3 / 6  \(.*test_mean", output), output


def test_workers_of_two_kinds_are_refused(course, run):
    code, output = run("grade", "--course", course, "--scheduler", "tcp://127.0.0.1:1", "--workers", "2")
    assert code == 2
    assert "give one" in output


def test_files_in_the_wrong_place_are_named(course, graded, run, small):
    astray = course / "submitted" / "astray" / "steps.ipynb"
    small.fill(course / "release" / small.ASSIGNMENT / "steps.ipynb", astray)
    _, output = run("grade", "--course", course)
    shutil.rmtree(astray.parent)
    assert "not graded submitted/astray/steps.ipynb: expected in submitted/astray/<assignment>/" in output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade", "02_nothing"], "there is no assignment '02_nothing'; there are: 01_arithmetic"),
        (["report", "02_nothing"], "there is no assignment '02_nothing'; there are: 01_arithmetic"),
        (["release", "02_nothing"], "there is no assignment '02_nothing'; there are: 01_arithmetic"),
        (["grade", "--student", "nobody"], "there is no student 'nobody'"),
    ],
)
def test_wrong_names_list_the_known_ones(course, graded, run, arguments, says):
    code, output = run(*arguments, "--course", course)
    assert code == 2
    assert says in output


@pytest.mark.parametrize("verb", ["grade", "report"])
def test_a_missing_gradebook_says_what_to_run(small, run, tmp_path, verb):
    folder = small.make_course(tmp_path / "course")
    code, output = run(verb, "--course", folder)
    assert code == 2
    assert "make it first: llmcourse release" in output


def test_a_folder_that_is_no_course_is_refused(run, tmp_path, monkeypatch):
    assert "it is no course folder" in run("grade", "--course", tmp_path)[1]
    monkeypatch.chdir(tmp_path)
    assert "run this in the course's folder, or name it with --course" in run("grade")[1]
