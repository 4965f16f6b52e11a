"""Marks written at once are those that nbgrader writes one by one."""

from copy import deepcopy

import pytest
from nbformat.v4 import new_output
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import SaveAutoGrades
from small_course import ASSIGNMENT, NOTEBOOK

from llmcourse.grading.course import Course
from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.marks import SaveMarks
from llmcourse.grading.release import release_assignment

POINTS = new_output("execute_result", {"text/plain": "0.5"})
FAILED = new_output("error", ename="AssertionError", evalue="", traceback=[])


@pytest.fixture
def released(course_folder):
    course = Course(course_folder)
    release_assignment(course, ASSIGNMENT)
    return course


def graded(course, outputs, *, answered):
    """Return the notebook as a run leaves it: outputs in its tests, in turn, and its first answers written."""
    notebook = read_notebook(course.released(ASSIGNMENT) / f"{NOTEBOOK}.ipynb")
    tests = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    for cell, output in zip(tests, outputs, strict=True):
        cell.outputs = [output] if output else []
    answers = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    for cell in answers[:answered]:
        cell.source += "\n# mine"
    return notebook


def written(course, kind, student, notebook, *, manual=None):
    """Return what a preprocessor writes of a notebook."""
    known = {"notebook": NOTEBOOK, "assignment": ASSIGNMENT, "student": student, "db_url": course.directory.db_url}
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(ASSIGNMENT, student)
        if manual is not None:
            gradebook.find_grade("test_mean", NOTEBOOK, ASSIGNMENT, student).manual_score = manual
            gradebook.db.commit()
    before = deepcopy(notebook)
    assert kind().preprocess(notebook, {"nbgrader": known})[0] == before
    with course.gradebook() as gradebook:
        entry = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student)
        grades = {grade.name: (grade.auto_score, grade.needs_manual_grade, grade.score) for grade in entry.grades}
        return grades, {comment.name: comment.auto_comment for comment in entry.comments}


@pytest.mark.parametrize(
    ("outputs", "answered", "manual"),
    [((None, None, None), 2, None), ((FAILED, POINTS, None), 1, None), ((None, FAILED, FAILED), 0, 2.5)],
)
def test_same_as_nbgraders(released, outputs, answered, manual):
    notebook = graded(released, outputs, answered=answered)
    theirs = written(released, SaveAutoGrades, "anna", notebook, manual=manual)
    ours = written(released, SaveMarks, "bert", notebook, manual=manual)
    assert ours == theirs
    assert len(ours[0]) == 3 and len(ours[1]) == 2
    assert list(ours[1].values()).count("No response.") == 2 - answered


def test_an_unknown_cell_is_named(released):
    notebook = graded(released, (None, None, None), answered=0)
    cell = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))
    cell.metadata.nbgrader.grade_id = "elsewhere"
    with pytest.raises(MissingEntry, match="'elsewhere'"):
        written(released, SaveMarks, "anna", notebook)
