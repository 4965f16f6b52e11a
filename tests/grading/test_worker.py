"""What one worker makes of one submission, and how it words what went wrong."""

import json

import fake_execution as FAKE
import pytest
import small_course as SMALL
from nbgrader.converters import GenerateAssignment

from llmcourse.grading import room
from llmcourse.grading.course import Course
from llmcourse.grading.parcel import Parcel, pack_assignment, read_files
from llmcourse.grading.worker import execute, reason_in


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = SMALL.make_course(tmp_path_factory.mktemp("worker") / "course")
    FAKE.quicken(folder)
    made = Course(folder)
    done, log = made.convert(GenerateAssignment, SMALL.ASSIGNMENT)
    assert done, log
    return made


@pytest.fixture(scope="module")
def packed(course):
    return pack_assignment(course, SMALL.ASSIGNMENT)


def parcel(files, *, problem=None, expected=(SMALL.NOTEBOOK,)):
    return Parcel(student="anna", assignment=SMALL.ASSIGNMENT, expected=expected, files=files, problem=problem)


@pytest.fixture
def right(course):
    path = SMALL.hand_in(course.root, "right", double=SMALL.GOOD_DOUBLE, mean=SMALL.GOOD_MEAN)
    return read_files(path.parent)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "Converting\nTraceback (most recent call last):\nnbclient.exceptions.DeadKernelError: Kernel died\n"
            "There was an error processing assignment 'a'\nNbGraderException: Please see the error log",
            "the kernel died: the code ran out of memory, or ended the process",
        ),
        ("KeyError: 'points'\nNbGraderException: x", "nbgrader could not grade it: KeyError: 'points'"),
        ("nothing that looks like an exception", "nbgrader could not grade it: nothing that looks like an exception"),
        ("", "nbgrader could not grade it: "),
    ],
)
def test_the_reason_is_the_exception_behind_the_last_one(log, reason):
    assert reason_in(log) == reason


def test_notebooks_come_back_run_and_the_next_submission_finds_nothing_of_them(packed, right):
    for _ in range(2):
        executed = execute(packed, parcel(right | {"left.txt": b"behind"}))
        assert executed.reason is None, executed.log
        (text,) = executed.notebooks.values()
        assert not any(cell.get("outputs") for cell in json.loads(text)["cells"])
        right = {name: content for name, content in right.items() if name != "left.txt"}


def test_what_a_cell_raises_comes_back(packed, course):
    path = SMALL.hand_in(course.root, "wrong", double="def double(value):\n    raise RuntimeError('why')\n")
    (text,) = execute(packed, parcel(read_files(path.parent))).notebooks.values()
    assert "RuntimeError: why" in text


@pytest.mark.parametrize(
    ("files", "problem", "says"),
    [
        ({}, "it holds a link", "it holds a link"),
        ({}, None, "no notebook"),
        ({"steps.ipynb": b"{"}, None, "steps.ipynb is not valid JSON"),
        ({"other.ipynb": b"{}"}, None, "wrong file name"),
    ],
)
def test_what_cannot_be_run_gets_a_reason(packed, files, problem, says):
    executed = execute(packed, parcel(files, problem=problem))
    assert says in executed.reason
    assert executed.notebooks == {}


def test_a_notebook_that_was_not_handed_in_is_remarked(packed, right):
    executed = execute(packed, parcel(right, expected=(SMALL.NOTEBOOK, "second")))
    assert executed.remarks == ("second.ipynb was not handed in: 0 points",)


def test_a_full_disk_is_not_the_submissions_fault(packed, right, monkeypatch):
    monkeypatch.setattr(room, "FREE_BYTES", 1 << 60)
    with pytest.raises(room.DiskFullError):
        execute(packed, parcel(right))
