"""What is wrong with a submission, before anything is run."""

import json
import os
import subprocess
import sys
from datetime import datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, writes_json

from llmcourse.grading.submissions import Submission


@pytest.fixture
def submission(tmp_path):
    """Return a function that makes a submission of files to an assignment of two notebooks."""

    def make(**files):
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        return Submission(student="s", assignment="a", folder=tmp_path, expected=("one", "two"))

    return make


NOTEBOOK = writes_json(new_notebook())


def test_a_whole_submission_has_no_problem(submission):
    whole = submission(one__ipynb=NOTEBOOK, two__ipynb=NOTEBOOK)
    assert whole.problem() is None
    assert whole.missing() == []


def test_a_notebook_less_is_no_problem_but_missing(submission):
    part = submission(two__ipynb=NOTEBOOK)
    assert part.problem() is None
    assert part.missing() == ["one"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no notebook: one.ipynb, two.ipynb is expected, and there is nothing"),
        ({"one__py": "x"}, "and there is one.py"),
        ({"one__ipynb": NOTEBOOK, "Two__ipynb": NOTEBOOK}, "it holds Two.ipynb where two.ipynb is expected"),
        ({"one__ipynb": NOTEBOOK, "two__ipynb": ""}, "two.ipynb is empty"),
        ({"one__ipynb": NOTEBOOK, "two__ipynb": NOTEBOOK[:-5]}, "two.ipynb is not valid JSON"),
        ({"one__ipynb": NOTEBOOK, "timestamp__txt": "at noon"}, "timestamp.txt: 'at noon' is no date; write"),
        ({"one__ipynb": NOTEBOOK, "timestamp__txt": "2027-02-01 18:00:00 +0200"}, "an offset that nbgrader misreads"),
    ],
)
def test_a_problem_is_told_in_words(submission, files, says):
    assert says in submission(**files).problem()


def test_extra_notebooks_beside_the_expected_ones_do_no_harm(submission):
    assert submission(one__ipynb=NOTEBOOK, two__ipynb=NOTEBOOK, scratch__ipynb=NOTEBOOK).problem() is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2027-02-01 18:00:00 UTC\n", datetime(2027, 2, 1, 18)),  # naive, as nbgrader keeps UTC
        ("2027-02-01T18:00:00+02:00", datetime(2027, 2, 1, 16)),
        ("2027-02-01T18:00:00", datetime(2027, 2, 1, 18)),
        ("", None),
    ],
)
def test_times_are_read_as_nbgrader_reads_them(submission, text, time):
    assert submission(timestamp__txt=text).timestamp() == time


# What no honest student hands in.

CELL = '{"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": null}'
WHOLE = '{"cells": [%s], "metadata": {%s}, "nbformat": %s, "nbformat_minor": %s}'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (WHOLE % (CELL, '"a": ' + "[" * 90 + "]" * 90, 4, 5), None),
        (WHOLE % (CELL, '"a": ' + "[" * 50_000 + "]" * 50_000, 4, 5), "two.ipynb is nested more than 100 deep"),
        (WHOLE % (CELL, '"a": ' + "9" * 10_000, 4, 5), "two.ipynb is not valid JSON"),
        (WHOLE % (CELL, '"a": NaN, "b": -Infinity, "c": 1e999', 4, 5), None),
        (WHOLE % (CELL, '"a": 1, "a": 2', 4, 5), None),
        (WHOLE % (CELL, '"language": 5', 4, 5), "two.ipynb: its metadata name a language that is no text"),
        (WHOLE % (CELL, "", 4, "null"), "two.ipynb is JSON, but no notebook that can be read"),
        (WHOLE % (CELL.replace('"1"', '"\\ud800"'), "", 4, 5), None),
        (WHOLE % (CELL.replace('"1"', '"\\u0000"'), "", 4, 5), None),
        (WHOLE % (CELL.replace('"1"', "7"), "", 4, 5), "two.ipynb: cell 1 has no text"),
        (WHOLE % (CELL.replace('"1"', '["1", 2]'), "", 4, 5), "two.ipynb is JSON, but no notebook"),
        (WHOLE % ("7", "", 4, 5), "two.ipynb is JSON, but no notebook"),
        (WHOLE % (CELL, "", 5, 0), "two.ipynb: Unsupported nbformat version 5; save it in JupyterLab"),
        (WHOLE % (CELL, "", '"4"', 5), "two.ipynb: Unsupported nbformat version 4"),
        (WHOLE % (CELL, "", "[]", 5), "two.ipynb is JSON, but no notebook"),
        (WHOLE % (CELL, "", 4, 10**300), None),
        ("\ufeff" + NOTEBOOK, "two.ipynb is not valid JSON (line 1, column 1)"),
        (NOTEBOOK.replace("{", "{\0", 1), "two.ipynb is not valid JSON"),
        ("\0" * 100, "two.ipynb is not valid JSON"),
        ('{"' + "k" * 100_000 + '": 1, "cells": 5}', "two.ipynb is JSON, but no notebook"),
    ],
)
def test_strange_notebooks_have_a_plain_reason_or_none(submission, content, says):
    reason = submission(one__ipynb=NOTEBOOK, two__ipynb=content).problem()
    assert (reason is None) == (says is None)
    assert reason is None or (says in reason and reason.isprintable() and len(reason) < 500)


@pytest.mark.parametrize("version", [2, 3])
def test_notebooks_of_old_versions_are_no_problem(submission, version):
    old = nbformat.convert(new_notebook(cells=[new_code_cell("1")]), 3)
    old.nbformat = version
    assert submission(one__ipynb=json.dumps(old), two__ipynb=NOTEBOOK).problem() is None


@pytest.mark.parametrize("kind", ["link", "dangling", "loop", "pipe", "folder", "device"])
@pytest.mark.parametrize("name", ["two.ipynb", "timestamp.txt", "data.csv"])
def test_nothing_but_files_is_opened(submission, tmp_path, kind, name):
    hand_in = submission(one__ipynb=NOTEBOOK, two__ipynb=NOTEBOOK)
    path = tmp_path / name
    path.unlink(missing_ok=True)
    targets = {"link": tmp_path / "one.ipynb", "dangling": "gone", "loop": name, "device": "/dev/zero"}
    if kind in targets:
        path.symlink_to(targets[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    if kind == "folder" and name == "data.csv":
        assert hand_in.problem() is None
    else:
        assert hand_in.problem().startswith(name)


def test_a_large_timestamp_is_not_read(submission):
    hand_in = submission(one__ipynb=NOTEBOOK, timestamp__txt="2027" * 100)
    says = "timestamp.txt holds more than 200 bytes; it is to hold a date such as 2027-02-01 18:00:00 UTC"
    assert hand_in.problem() == says


def test_names_are_shown_on_one_line_and_not_all(submission, tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02}\u202e.py").touch()
    reason = submission().problem()
    assert reason.isprintable()
    assert reason.endswith(" and 20 more")


HUNGRY = """
import resource, sys
from pathlib import Path
from llmcourse.grading.submissions import Submission
resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))
print(Submission(student="s", assignment="a", folder=Path(sys.argv[1]), expected=("one",)).problem())
"""


@pytest.mark.parametrize(
    "content",
    [WHOLE % (",".join([CELL] * 30_000), "", 4, 4), WHOLE % ("", '"a": [' + "1.5," * 4_900_000 + "1]", 4, 5)],
    ids=["cells", "numbers"],
)
def test_the_costliest_notebooks_that_are_read_fit_into_memory(tmp_path, content):
    (tmp_path / "one.ipynb").write_text(content)
    command = [sys.executable, "-c", HUNGRY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "None\n"
