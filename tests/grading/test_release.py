"""What counts as giving a solution away."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from llmcourse.grading.release import Released, copy_release, leaks, zip_release

SOURCE = new_notebook(
    cells=[
        new_code_cell(
            "def triple(x):\n    ### BEGIN SOLUTION\n    return 3 * x + 0 * x\n    ### END SOLUTION\n# shared line",
            metadata={"nbgrader": {"solution": True, "grade_id": "a"}},
        ),
        new_code_cell("whole_cell_is_secret = 41 + 1", metadata={"nbgrader": {"solution": True, "grade_id": "b"}}),
        new_code_cell(
            "assert triple(1) == 3\n### BEGIN HIDDEN TESTS\nassert triple(-7) == -21\nx = 1\n### END HIDDEN TESTS",
            metadata={"nbgrader": {"grade": True, "points": 1, "grade_id": "c"}},
        ),
    ]
)


@pytest.fixture
def found_in(tmp_path):
    """Return a function that says what leaks from a student's cell, and from a file beside it."""

    def find(source="", *, beside="", metadata=None, outputs=()):
        instructor, student = tmp_path / "source.ipynb", tmp_path / "student"
        student.mkdir()
        nbformat.write(SOURCE, instructor)
        cell = new_code_cell(source, metadata=metadata or {}, outputs=list(outputs))
        nbformat.write(new_notebook(cells=[cell]), student / "e.ipynb")
        (student / "notes.txt").write_text(beside)
        return leaks([instructor], student)

    return find


def test_the_task_itself_is_no_leak(found_in):
    assert found_in("def triple(x):\n    raise NotImplementedError()\n# shared line\nassert triple(1) == 3") == []


@pytest.mark.parametrize(
    "line",
    [
        "    return 3 * x + 0 * x",
        "return 3 * x + 0 * x",
        "whole_cell_is_secret = 41 + 1",
        "assert triple(-7) == -21",
        "### BEGIN SOLUTION",
        "### END HIDDEN TESTS",
    ],
)
def test_a_line_of_a_solution_or_hidden_test_is_one(found_in, line):
    assert found_in(f"def triple(x):\n{line}") == [f"e.ipynb, line 2: {line.strip()}"]


def test_short_lines_tell_nothing(found_in):
    assert found_in("x = 1") == []


def test_other_files_are_looked_at(found_in):
    assert found_in(beside="\n    return 3 * x + 0 * x\n") == ["notes.txt, line 2: return 3 * x + 0 * x"]


def test_outputs_and_metadata_are_looked_at(found_in):
    output = nbformat.v4.new_output("stream", text="### BEGIN SOLUTION")
    (leak,) = found_in(outputs=[output])
    assert "BEGIN SOLUTION" in leak


def test_a_copy_that_differs_stops_all_copies(tmp_path):
    folder, target = tmp_path / "release" / "a", tmp_path / "work"
    folder.mkdir(parents=True)
    (folder / "one.ipynb").write_text("1")
    (folder / "two.ipynb").write_text("2")
    (target / "a").mkdir(parents=True)
    (target / "a" / "two.ipynb").write_text("my work")
    released = Released(assignment="a", folder=folder, functions=1, points=1, judged=True)
    with pytest.raises(ValueError, match=r"two\.ipynb differs"):
        copy_release(released, target, replace=False)
    assert sorted(path.name for path in (target / "a").iterdir()) == ["two.ipynb"]
    copy_release(released, target, replace=True)
    assert (target / "a" / "two.ipynb").read_text() == "2"


def test_a_zip_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "one.ipynb").write_text("1")
    path = tmp_path / "out" / "exercises.zip"
    for _ in range(2):
        zip_release([Released(assignment="a", folder=folder, functions=1, points=1, judged=True)], path)
    assert [item.name for item in path.parent.iterdir()] == ["exercises.zip"]
