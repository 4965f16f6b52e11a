"""Graded notebooks of the small exercise, written rather than run."""

import shutil
from copy import deepcopy

import nbformat
import small_course as small
from nbformat.v4 import new_output
from nbgrader.converters import GenerateAssignment

from llmcourse.grading.course import Course


def released_course(folder):
    """Return the small course with its assignment released, which takes seconds: make one for a module."""
    course = Course(small.make_course(folder))
    done, log = course.convert(GenerateAssignment, small.ASSIGNMENT)
    assert done, log
    return course


def cell_of(notebook, grade_id):
    """Return the cell with an id of nbgrader's."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def error(name, value, *traceback):
    """Return the output of a failing cell."""
    return new_output("error", ename=name, evalue=value, traceback=list(traceback) or [f"{name}: {value}"])


def graded(source, *, answers=None, outputs=None):
    """Return the instructor's notebook with a student's answers, as it stands in ``autograded/`` after a run."""
    notebook = deepcopy(source)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
        grade_id = cell.metadata.nbgrader["grade_id"]
        cell.source = (answers or {}).get(grade_id, cell.source)
        cell.outputs = list((outputs or {}).get(grade_id, []))
    return notebook


def store(course, assignment, student, notebook, scores):
    """Put a graded notebook into the course, with its marks in the gradebook."""
    path = course.autograded(student, assignment) / "steps.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    submitted = course.submitted / student / assignment / "steps.ipynb"
    submitted.parent.mkdir(parents=True)
    shutil.copy(course.released(assignment) / "steps.ipynb", submitted)
    with course.gradebook() as gradebook:
        gradebook.add_student(student)
        gradebook.add_submission(assignment, student)
        for name, points in scores.items():
            grade = gradebook.find_grade(name, "steps", assignment, student)
            grade.auto_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()
