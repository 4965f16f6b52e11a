"""What a worker does with one submission: look at it, clean it, run it, and give back the notebooks.

It works in a folder of its own (see :mod:`llmcourse.grading.parcel`) and writes nothing else. What it runs is the
course's ``Autograde`` configuration up to ``SaveAutoGrades``, so whatever isolates student code under plain
``nbgrader autograde`` isolates it here. One process runs one submission at a time: nbgrader changes the process's
current folder and environment.
"""

import shutil
import socket
import threading
import traceback
from collections.abc import Iterator
from functools import partial
from glob import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from llmcourse.grading.course import Course
from llmcourse.grading.exercise import parts
from llmcourse.grading.halves import Executing
from llmcourse.grading.parcel import Executed, Parcel, unpack_assignment, write_files
from llmcourse.grading.room import DiskFullError, check_room, full
from llmcourse.grading.submissions import Submission
from llmcourse.grading.transaction import GradebookError

__all__ = ["execute", "reason_in"]

# A worker of Dask has as many threads as it was given.
_one = threading.Lock()
# What nbgrader's log ends in, and what that means to an instructor.
_MEANINGS = {
    "DeadKernelError": "the kernel died: the code ran out of memory, or ended the process",
    "UnresponsiveKernelError": "the kernel no longer answered: look for a loop that cannot be interrupted",
    "CellTimeoutError": "a cell ran out of time and could not be stopped: a loop in it catches every exception",
    "ValidationError": "a cell is no valid cell of a notebook, or lost nbgrader's marks",
}


def execute(packed: bytes, parcel: Parcel) -> Executed:
    """Run a submission.

    Args:
        packed: Its assignment, of :func:`llmcourse.grading.parcel.pack_assignment`.
        parcel: The submission.

    Returns:
        The notebooks that were run, or the reason why they could not be.

    Raises:
        DiskFullError: There is no room to work in.
    """
    if parcel.problem is not None:
        return Executed(notebooks={}, log="", reason=parcel.problem)
    with _one:
        course = unpack_assignment(packed)
        check_room(course.root)
        submitted = course.submitted / parcel.student
        try:
            return _executed(course, parcel, submitted / parcel.assignment)
        except Exception as error:  # a submission must not stop those after it, but may not be to blame
            if full(error) or isinstance(error, (DiskFullError, GradebookError)):
                raise DiskFullError(f"{error} (in {course.root} on {socket.gethostname()})") from error
            reason = f"it could not be run: {type(error).__name__}: {error}"
            return Executed(notebooks={}, log=traceback.format_exc(), reason=reason)
        finally:
            shutil.rmtree(submitted, ignore_errors=True)
            shutil.rmtree(course.autograded(parcel.student, "."), ignore_errors=True)


def _executed(course: Course, parcel: Parcel, folder: Path) -> Executed:
    write_files(folder, parcel.files)
    submission = Submission(
        student=parcel.student, assignment=parcel.assignment, folder=folder, expected=parcel.expected
    )
    if (problem := submission.problem()) is not None:
        return Executed(notebooks={}, log="", reason=problem)
    graded: dict[str, NotebookNode] = {}
    executing = partial(Executing, expected=parcel.expected, executed=graded)
    with course.transaction(keep=False):
        done, log = course.convert(executing, escape(parcel.assignment), student=escape(parcel.student))
    if not done:
        return Executed(notebooks={}, log=log, reason=reason_in(log))
    remarks = [f"{name}.ipynb was not handed in: 0 points" for name in submission.missing()]
    remarks += [remark for _, notebook in sorted(graded.items()) for remark in _remarks(notebook)]
    # on one line: Python writes indented JSON ten times as slowly
    notebooks = {name: nbformat.v4.writes_json(notebook, indent=None) for name, notebook in graded.items()}
    return Executed(notebooks=notebooks, log=log, remarks=tuple(remarks))


def _remarks(notebook: NotebookNode) -> Iterator[str]:
    """Yield what an instructor should know of a notebook's run."""
    for part in parts(notebook):
        outputs = [out for i in part.answers + part.tests for out in notebook.cells[i].get("outputs", ())]
        if any(out.get("ename") == "CellTimeoutError" for out in outputs):
            yield f"{part.name} ran out of time and was stopped"
    own = notebook.metadata.get("llmcourse", {})
    yield from own.get("remarks", ())
    yield from own.get("repairs", ())


def reason_in(log: str) -> str:
    """Return the reason in nbgrader's log, which is the last line of a traceback.

    Args:
        log: Of a submission that nbgrader could not grade.

    Returns:
        What it means to an instructor.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.split(":", 1)[0].endswith(("Error", "Exception"))]
    last = next((line for line in reversed(errors) if "NbGraderException" not in line), lines[-1] if lines else "")
    meaning = next((text for name, text in _MEANINGS.items() if name in last.split(":", 1)[0]), None)
    return meaning or f"nbgrader could not grade it: {last}"
