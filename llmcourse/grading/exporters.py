"""Plugins of ``nbgrader export`` for the gradebooks of Canvas and Moodle.

    nbgrader export --exporter=llmcourse.grading.exporters.CanvasExporter --to canvas.csv
    nbgrader export --exporter=llmcourse.grading.exporters.MoodleExporter --to moodle.csv

Both write a row for each student with the scores of ``nbgrader export``. A cell is empty where there is nothing to
tell: no submission, or one with no mark yet; what missing work is worth, the gradebook decides. Text that a spreadsheet
would take for a formula is made inert. ``--assignment`` and ``--student`` choose what is exported, as they do for
nbgrader's own exporter.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from llmcourse.grading.messages import one_line
from llmcourse.grading.spreadsheet import write_table

__all__ = ["CanvasExporter", "MoodleExporter"]

_COMMENT_CHARACTERS = 2_000


class _LmsExporter(ExportPlugin):
    """What the exporters share: whom and what to export."""

    default_file: str

    def export(self, gradebook: Gradebook) -> None:
        """Write the table.

        Args:
            gradebook: The course's.
        """
        path = Path(self.to or self.default_file)
        assignments = [entry for entry in gradebook.assignments if self._chosen(entry.name, self.assignment)]
        students = [entry for entry in gradebook.students if self._chosen(entry.id, self.student)]
        assignments.sort(key=lambda entry: entry.name)
        students.sort(key=lambda entry: (entry.last_name or "", entry.first_name or "", entry.id))
        self.log.info("Exporting the grades of %d students to %s", len(students), path)
        write_table(path, *self.table(gradebook, assignments, students))

    def table(
        self, gradebook: Gradebook, assignments: Sequence[Any], students: Sequence[Any]
    ) -> tuple[list[str], list[list[object]]]:
        """Return header and rows.

        Args:
            gradebook: The course's.
            assignments: nbgrader's entries.
            students: nbgrader's entries.

        Returns:
            The header and the rows.
        """
        raise NotImplementedError

    @staticmethod
    def _chosen(name: Any, chosen: Any) -> bool:
        return not chosen or name in [str(item) for item in chosen]


class CanvasExporter(_LmsExporter):
    """The CSV that Canvas's gradebook imports.

    ``SIS Login ID`` is nbgrader's id of a student, and ``ID``, Canvas's own number of a user, their ``lms_user_id``; it
    may be empty, and Canvas then finds them by login or name. ``Section`` must be there, and may be empty. Assignments
    are matched by name; for one that it does not know Canvas asks which of its own is meant.
    """

    default_file = "canvas.csv"

    def table(
        self, gradebook: Gradebook, assignments: Sequence[Any], students: Sequence[Any]
    ) -> tuple[list[str], list[list[object]]]:
        """Return header and rows, the points possible first.

        Args:
            gradebook: The course's.
            assignments: nbgrader's entries.
            students: nbgrader's entries.

        Returns:
            The header and the rows.
        """
        header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(entry.name for entry in assignments)]
        rows: list[list[object]] = [["    Points Possible", *[""] * 4, *(entry.max_score for entry in assignments)]]
        for student in students:
            name = ", ".join(part for part in (student.last_name, student.first_name) if part) or student.id
            scores = [_score(_submission(gradebook, entry, student)) for entry in assignments]
            rows.append([name, student.lms_user_id, "", student.id, "", *scores])
        return header, rows


class MoodleExporter(_LmsExporter):
    """The CSV that Moodle imports grades from: Grades, Import, CSV file.

    Map from ``ID number`` to Moodle's idnumber, ``Username`` to its username, or ``Email address`` to its e-mail
    address, and for each assignment both columns: importing feedback alone clears the grades. ``ID number`` is a
    student's ``lms_user_id``, and nbgrader's id where that is not set. Feedback is what graders wrote, with the cells'
    ids.
    """

    default_file = "moodle.csv"

    def table(
        self, gradebook: Gradebook, assignments: Sequence[Any], students: Sequence[Any]
    ) -> tuple[list[str], list[list[object]]]:
        """Return header and rows.

        Args:
            gradebook: The course's.
            assignments: nbgrader's entries.
            students: nbgrader's entries.

        Returns:
            The header and the rows.
        """
        header = ["First name", "Last name", "Username", "ID number", "Email address"]
        header += [f"{entry.name} ({kind})" for entry in assignments for kind in ("Real", "Feedback")]
        rows: list[list[object]] = []
        for student in students:
            number = student.lms_user_id or student.id
            row: list[object] = [student.first_name, student.last_name, student.id, number, student.email]
            for entry in assignments:
                submission = _submission(gradebook, entry, student)
                row += [_score(submission), _comments(submission)]
            rows.append(row)
        return header, rows


def _submission(gradebook: Gradebook, assignment: Any, student: Any) -> Any:
    try:
        return gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return None


def _score(submission: Any) -> float | None:
    """Return the points less the penalty, None where nothing has a mark."""
    if submission is None:
        return None
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    if all(grade.auto_score is None and grade.manual_score is None for grade in grades):
        return None
    return max(0.0, submission.score - submission.late_submission_penalty)


def _comments(submission: Any) -> str:
    if submission is None:
        return ""
    comments = [comment for notebook in submission.notebooks for comment in notebook.comments if comment.comment]
    return "; ".join(f"{entry.name}: {one_line(entry.comment, _COMMENT_CHARACTERS)}" for entry in comments)
