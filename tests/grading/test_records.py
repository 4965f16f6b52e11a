"""Records of what was graded."""

import pytest

from llmcourse.grading.course import Course
from llmcourse.grading.records import Record, read_record, write_record

RECORD = Record(digest="d", reason="because", remarks=["é"], log="line\nline")


@pytest.fixture
def course(course_folder):
    return Course(course_folder)


def test_a_record_comes_back_as_it_was(course):
    write_record(course, "anna", "a", RECORD)
    assert read_record(course, "anna", "a") == RECORD
    assert read_record(course, "anna", "b") is None
    assert read_record(course, "bert", "a") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": "d"}'])
def test_what_cannot_be_read_counts_as_none(course, text):
    write_record(course, "anna", "a", RECORD)
    (path,) = (course.root / "autograded").rglob("anna.json")
    path.write_text(text)
    assert read_record(course, "anna", "a") is None


def test_no_pattern_of_nbgrader_finds_the_records(course):
    write_record(course, "anna", "a", RECORD)
    assert not list((course.root / "autograded").glob("[!.]*"))
