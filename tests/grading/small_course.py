"""A course of one small exercise, which needs no torch, and submissions to it."""

import json
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT, NOTEBOOK = "01_arithmetic", "steps"

DOUBLE = """\
def double(value):
    ### BEGIN SOLUTION
    return value + value
    ### END SOLUTION
"""
TEST_DOUBLE = """\
assert double(2) == 4, f"double(2) is {double(2)}, not 4: is it squared?"
"""
TEST_DOUBLE_HIDDEN = """\
assert double(0) == 0, "zero stays zero"
### BEGIN HIDDEN TESTS
assert double("ab") == "abab", "text doubles too"
### END HIDDEN TESTS
"""
MEAN = """\
def mean(values):
    ### BEGIN SOLUTION
    total_of_all = sum(values)
    return total_of_all / len(values) if values else 0.0
    ### END SOLUTION
"""
TEST_MEAN = """\
assert mean([1, 3]) == 2
### BEGIN HIDDEN TESTS
assert mean([]) == 0.0, "the mean of nothing is 0 here"
### END HIDDEN TESTS
"""
GOOD_DOUBLE = "def double(value):\n    return 2 * value\n"
GOOD_MEAN = "def mean(values):\n    return sum(values) / len(values) if values else 0.0\n"


def _cell(source, grade_id, *, points=None):
    graded = points is not None
    marks = {"grade": graded, "grade_id": grade_id, "locked": graded, "schema_version": 3, "solution": not graded}
    marks |= {"task": False} | ({"points": points} if graded else {})
    return new_code_cell(source.rstrip("\n"), metadata={"nbgrader": marks})


def make_source():
    """Return the instructor's notebook: double for 1 + 2 points, mean for 3."""
    cells = [
        new_markdown_cell("# Arithmetic\n\n<details><summary>Hint 1: two of them</summary>Add it.</details>"),
        _cell(DOUBLE, "double"),
        _cell(TEST_DOUBLE, "test_double", points=1),
        _cell(TEST_DOUBLE_HIDDEN, "test_double_more", points=2),
        new_markdown_cell("## The mean\n\n<details><summary>Hint</summary>Divide.</details>"),
        _cell(MEAN, "mean"),
        _cell(TEST_MEAN, "test_mean", points=3),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def make_course(folder, source=None):
    """Write a course folder with the real configuration and the small exercise."""
    exercise = folder / "solutions" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    exercise.parent.mkdir(parents=True)
    nbformat.write(source or make_source(), exercise)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


def fill(released, path, *, double=None, mean=None, timestamp=None):
    """Write a released notebook with the given answers to another place."""
    notebook = nbformat.read(released, as_version=4)
    answers = {"double": double, "mean": mean}
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(grade_id) or cell.source
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    if timestamp:
        (path.parent / "timestamp.txt").write_text(timestamp, encoding="utf-8")
    return path


def hand_in(course, student, *, name=NOTEBOOK, **answers):
    """Write a student's submission from the released notebook."""
    released = course / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    return fill(released, course / "submitted" / student / ASSIGNMENT / f"{name}.ipynb", **answers)
