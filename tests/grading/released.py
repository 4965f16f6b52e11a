"""A released notebook, and nbgrader's way from a file to a notebook that is about to be run."""

import shutil
from pathlib import Path

import nbformat
import small_course as SMALL
from nbgrader.converters import Autograde, GenerateAssignment

from llmcourse.grading.course import Course
from llmcourse.grading.gate import Gate
from llmcourse.grading.sanitize import Sanitize

HERE = Path(__file__).parent
EXERCISE = HERE.parents[1] / "solutions" / "01_tokenization" / "bpe.ipynb"


class Assignment:
    """A released notebook, and nbgrader's way from a file to a notebook that is about to be run."""

    def __init__(self, course, assignment, name):
        self.course = course
        self.released = course.released(assignment) / f"{name}.ipynb"
        self.resources = {"student": "s", "assignment": assignment, "notebook": name, "db_url": course.directory.db_url}
        done, log = course.convert(GenerateAssignment, assignment)
        assert done, log
        converter = Autograde(coursedir=course.directory, parent=course._app)
        self.exporter = Gate(parent=converter, config=converter.config)
        preprocessors = Autograde.sanitize_preprocessors.default()
        for preprocessor in (Sanitize, *preprocessors):
            self.exporter.register_preprocessor(preprocessor)
        self.sanitize = self.exporter._preprocessors[0]

    def read(self):
        return nbformat.read(self.released, as_version=4)

    def sanitized(self, notebook):
        """Return what is run of a notebook or of a file, and what was repaired."""
        if isinstance(notebook, Path):
            text, _ = self.exporter.from_filename(str(notebook), resources={"nbgrader": dict(self.resources)})
        else:
            text, _ = self.exporter.from_notebook_node(notebook, resources={"nbgrader": dict(self.resources)})
        result = nbformat.reads(text, as_version=4)
        return result, result.metadata.llmcourse.repairs

    def stages(self, notebook):
        """Return the assignment's cells after each preprocessor, without nbconvert's copies and checks between them."""
        found = []
        for preprocessor in self.exporter._preprocessors:
            notebook, _ = preprocessor(notebook, {"nbgrader": dict(self.resources)})
            found.append(marked_cells(notebook))
        nbformat.validate(notebook)
        return found


def steps(folder):
    """Return the small course's exercise: title, double, two tests, a heading, mean, a test."""
    course = SMALL.make_course(folder, _lock_texts(SMALL.make_source()))
    return Assignment(Course(course), SMALL.ASSIGNMENT, SMALL.NOTEBOOK)


def _lock_texts(source):
    for name, index in (("title", 0), ("heading", 4)):
        marks = {
            "grade": False,
            "grade_id": name,
            "locked": True,
            "schema_version": 3,
            "solution": False,
            "task": False,
        }
        source.cells[index].metadata["nbgrader"] = marks
    return source


def bpe(folder):
    """Return the course's exercise on byte-pair encoding."""
    (folder / "solutions" / "01_tokenization").mkdir(parents=True)
    shutil.copy(EXERCISE, folder / "solutions" / "01_tokenization")
    shutil.copy(HERE.parents[1] / "nbgrader_config.py", folder)
    return Assignment(Course(folder), "01_tokenization", "bpe")


def marked_cells(notebook):
    """Return the assignment's cells: their text too where it is not the student's."""
    found = []
    for cell in notebook.cells:
        if marks := cell.metadata.get("nbgrader"):
            text = "" if marks.get("solution") else cell.source
            found.append((marks["grade_id"], cell.id, cell.cell_type, dict(marks), text))
    return found


def names(notebook):
    """Return the ids of the assignment's cells, and the text of the others, in order."""
    return [cell.metadata.get("nbgrader", {}).get("grade_id") or cell.source for cell in notebook.cells]
