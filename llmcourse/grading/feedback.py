"""What a student may see of a graded notebook, with a summary at its top.

:class:`SafeFeedback` is one of the preprocessors of nbgrader's ``GenerateFeedback``, after ``GetGrades``. It takes
hidden tests out of cells, outputs and tracebacks, and the grader's paths out of outputs; it makes markup inert as
:mod:`llmcourse.grading.feedback_markup` says; and it puts first what a student looks for: each function with its points
and what its failing tests said. The message of a hidden test is shown, since it names the misconception: write none
that gives the test away.

It cannot take out what a test's own message or output tells in other words, nor what a student's code was able to read:
that is the sandbox's part.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_locked
from traitlets import List

from llmcourse.grading.course import Course
from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.feedback_markup import make_inert
from llmcourse.grading.feedback_summary import HIDDEN, findings, remarks, summary_html

__all__ = ["SafeFeedback", "student_findings"]

_PLACEHOLDER = "# (hidden tests)"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ARROW = re.compile(r"^\s*-+>\s*(\d+)\s(.*)")
_FRAME = re.compile(r"^Cell In\[(\d+)\], line \d+")
_CHAINED = re.compile(r"^(?:The above exception was|During handling of the above).*$")
# Shorter lines, brackets above all, stand in honest outputs too.
_TELLING_CHARACTERS = 12


class SafeFeedback(ClearHiddenTests):
    """Make a graded notebook fit for its student; hidden tests are what the course's ``ClearHiddenTests`` says."""

    # nbconvert's HTML exporter sets this for all preprocessors, and warns of those for which it is no setting.
    display_data_priority = List().tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Return the notebook as its student may see it.

        Args:
            nb: A graded notebook; changed in place.
            resources: nbgrader's.

        Returns:
            The notebook with a summary before its first cell, and the resources.
        """
        self.clean(nb)
        nb.cells.insert(0, new_markdown_cell(summary_html(findings(nb), remarks(nb))))
        return nb, resources

    def clean(self, nb: NotebookNode) -> None:
        """Take out what a student must not see, and what could hurt whoever looks.

        Args:
            nb: A graded notebook; changed in place.
        """
        make_inert(nb)
        hidden = self._hide(nb)
        shown = {line.strip() for cell in nb.cells if cell.cell_type == "code" for line in cell.source.splitlines()}
        hidden -= shown
        students = {cell.execution_count for cell in nb.cells if not is_locked(cell) and cell.get("execution_count")}
        redact = _redaction(hidden, [Path(CourseDirectory(parent=self).root)])
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                if output.output_type == "error":
                    _trim(output, hidden, shown, students)
                _rewrite(output, redact)
        own = nb.metadata.get("llmcourse", {})
        own["remarks"] = [redact(line) for line in remarks(nb)]

    def _hide(self, nb: NotebookNode) -> set[str]:
        """Take the regions of hidden tests out of the assignment's cells; return their lines."""
        begin, end = self.begin_test_delimeter, self.end_test_delimeter
        hidden: set[str] = set()
        for cell in nb.cells:
            if cell.cell_type != "code" or not (is_grade(cell) or is_locked(cell)):
                continue
            kept, inside = [], False
            for line in cell.source.splitlines():
                if begin in line:
                    inside = True
                    kept.append(_PLACEHOLDER)
                elif end in line:
                    inside = False
                elif inside:
                    hidden.add(line.strip())
                else:
                    kept.append(line)
            cell.source = "\n".join(kept)
        return hidden - {""}


def _trim(error: NotebookNode, hidden: set[str], shown: set[str], students: set[int]) -> None:
    """Leave of a traceback the places in the student's cells and the failing lines that the student may see."""
    kept, concealed = [], False
    for line in _ANSI.sub("", "\n".join(error.traceback)).splitlines():
        arrow, frame = _ARROW.match(line), _FRAME.match(line)
        if arrow and arrow[2].strip() in shown:
            kept.append(f"--> {arrow[1]} {arrow[2].strip()}")
        elif line == HIDDEN or (arrow and arrow[2].strip() in hidden):
            concealed = True
        elif (frame and int(frame[1]) in students) or _CHAINED.match(line):
            kept.append(frame[0] if frame else line)
    if concealed and error.ename == "AssertionError" and not error.evalue.strip():
        error.evalue = "it fails"
    last = f"{error.ename}: {error.evalue}" if error.evalue else error.ename
    error.traceback = [*kept, *([HIDDEN] if concealed else []), last]


def _redaction(hidden: set[str], folders: list[Path]) -> Callable[[str], str]:
    """Return a function that takes lines of hidden tests and paths in the grader's folders out of a text."""
    telling = sorted(line for line in hidden if len(line) >= _TELLING_CHARACTERS)
    roots = {str(path) for path in (*folders, Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()))} - {"/", "."}
    alternatives = "|".join(re.escape(root) for root in sorted(roots, key=len, reverse=True))
    path = re.compile(rf"(?<![\w/])(?:{alternatives})(?:/[^\s'\"<>:,;()\[\]]*)?(?![\w-])")

    def redact(text: str) -> str:
        for line in telling:
            text = text.replace(line, "(a line of a hidden test)")
        return path.sub(lambda match: f"…/{Path(match[0]).name}" if Path(match[0]).suffix else "…", text)

    return redact


def _rewrite(output: NotebookNode, redact: Callable[[str], str]) -> None:
    match output.output_type:
        case "stream":
            output.text = redact(output.text)
        case "error":
            output.ename, output.evalue = redact(output.ename), redact(output.evalue)
            output.traceback = [redact(line) for line in output.traceback]
        case _:
            if "text/plain" in output.data:
                output.data["text/plain"] = redact(output.data["text/plain"])


def student_findings(course: Course, assignment: str, student: str) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Return what a student's feedback says of each function.

    Args:
        course: The course.
        assignment: The assignment's name.
        student: The student's.

    Returns:
        Lines by notebook and ids of graded cells; under no ids what is said of the notebook as a whole.
    """
    said = {}
    for path in sorted(course.autograded(student, assignment).glob("*.ipynb")):
        notebook = read_notebook(path)
        SafeFeedback(config=course.config).clean(notebook)
        said |= {(path.stem, finding.cells): list(finding.said) for finding in findings(notebook)}
        said[path.stem, ()] = remarks(notebook)
    return said
