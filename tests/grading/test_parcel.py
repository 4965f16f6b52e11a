"""What travels to a worker: all of one submission and its assignment, and nothing of anybody else."""

import sqlite3
from pathlib import Path

import pytest
from nbgrader.converters import GenerateAssignment

from llmcourse.grading.course import Course
from llmcourse.grading.parcel import (
    Parcel,
    ParcelError,
    pack_assignment,
    read_files,
    unpack_assignment,
    write_files,
)

ASSIGNMENT = "01_arithmetic"
FILES = {"steps.ipynb": b"{}", "inner/data \u00e9.bin": b"\x00\xff"}


def parcel(**files):
    return Parcel(student="anna", assignment="a", expected=("steps",), files={k: v.encode() for k, v in files.items()})


def test_files_arrive_as_they_were(tmp_path):
    write_files(tmp_path / "one", FILES)
    assert read_files(tmp_path / "one") == FILES


@pytest.mark.parametrize("target", ["/etc/passwd", "steps.ipynb", "."])
def test_a_link_is_not_followed(tmp_path, target):
    write_files(tmp_path, FILES)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ParcelError, match="link is a symbolic link"):
        read_files(tmp_path)


def test_the_digest_tells_names_and_contents_apart():
    assert parcel(a="1").digest() == parcel(a="1").digest()
    assert (
        len({one.digest() for one in (parcel(), parcel(a="1"), parcel(a="2"), parcel(b="1"), parcel(a="1", b=""))}) == 5
    )


def test_a_worker_gets_the_assignment_and_nobody(course_folder):
    course = Course(course_folder)
    assert course.convert(GenerateAssignment, ASSIGNMENT)[0]
    with course.gradebook() as gradebook:
        gradebook.add_student("secret-student")
        gradebook.update_or_create_submission(ASSIGNMENT, "secret-student")
    (course_folder / "solutions" / ASSIGNMENT / "table.csv").write_text("a,b")
    packed = pack_assignment(course, ASSIGNMENT)
    assert b"secret-student" not in packed
    there = unpack_assignment(packed)
    assert there.root != course.root
    assert there is unpack_assignment(packed)
    assert (there.solutions / ASSIGNMENT / "table.csv").read_text() == "a,b"
    assert Path(there.directory.db_url.removeprefix("sqlite:///")).parent == there.root
    tables = {}
    for place in (course.root, there.root):
        with sqlite3.connect(place / "gradebook.db") as database:
            tables[place] = [
                sorted(database.execute(f"SELECT * FROM {table}").fetchall())
                for table in ("assignment", "notebook", "base_cell", "grade_cells", "solution_cells", "source_cell")
            ]
    assert tables[course.root] == tables[there.root]
