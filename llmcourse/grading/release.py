"""Making what students get, and proving it: full marks for the solution, and nothing of it in the student's copy."""

import ast
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearOutput
from nbgrader.utils import is_grade, is_solution

from llmcourse.grading.border.solution_names import names_of, plain, read_names
from llmcourse.grading.course import Course, CourseError
from llmcourse.grading.execution import KernelLostError, execute
from llmcourse.grading.exercise import read_notebook, results
from llmcourse.grading.judged import JudgedExecute
from llmcourse.grading.zygote.client import ZygoteError
from llmcourse.sandbox import NotIsolatedError

__all__ = ["Proof", "Released", "copy_release", "leaks", "prove_solution", "release_assignment", "zip_release"]

_MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "BEGIN MARK SCHEME")
# Shorter lines, such as "else:", say nothing of a solution and may stand anywhere.
_TELLING_CHARACTERS = 10


@dataclass(frozen=True, kw_only=True)
class Released:
    """An assignment that was released and proved."""

    assignment: str
    folder: Path
    functions: int
    points: float
    judged: bool


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a solution is worth by its own tests, and whether it ran as submissions do."""

    functions: int
    points: float
    judged: bool


def release_assignment(course: Course, assignment: str) -> Released:
    """Make the student's version of an assignment in ``release/``, and prove it.

    Args:
        course: The course.
        assignment: The assignment's name.

    Returns:
        Where it stands, and what it is worth.

    Raises:
        CourseError: The instructor's own solution does not get full marks, nbgrader cannot make the student's version,
            or that version gives away a solution; in the last case it is removed.
    """
    sources = [course.solutions / assignment / f"{name}.ipynb" for name in course.notebooks(assignment)]
    worth = [prove_solution(course, path) for path in sources]
    done, log = course.convert(GenerateAssignment, escape(assignment))
    if not done:
        raise CourseError(f"nbgrader could not make {assignment}: {_cause(log)}")
    folder = course.released(assignment)
    if found := leaks(sources, folder):
        shutil.rmtree(folder)
        raise CourseError(f"{assignment} would give away its solution, and is not released: {'; '.join(found[:5])}")
    return Released(
        assignment=assignment,
        folder=folder,
        functions=sum(proof.functions for proof in worth),
        points=sum(proof.points for proof in worth),
        judged=all(proof.judged for proof in worth),
    )


def _cause(log: str) -> str:
    if "because there are submissions associated with it" in log:
        return (
            "its cells have changed since students' submissions were graded; keep the ids of its cells as they were, "
            "or remove it with its marks: nbgrader db assignment remove"
        )
    lines = [line for line in log.splitlines() if line.split(":", 1)[0].strip().endswith(("Error", "Exception"))]
    telling = [line.strip() for line in lines if "NbGraderException" not in line]
    return (telling or log.splitlines() or ["its log is empty"])[-1]


def prove_solution(course: Course, path: Path) -> Proof:
    """Run the instructor's notebook as a submission will be run, and make sure that it gets every point.

    Args:
        course: The course, whose limits hold.
        path: A notebook with its solutions.

    Returns:
        What it is worth. Where there is no sandbox the notebook runs as any other does, which is no proof of what
        crosses from the student's process to the tests.

    Raises:
        CourseError: It has nothing to grade, loses points (the message names the functions, and what cannot cross
            from the student's process to the tests), or has a test whose points a student could set.
    """
    try:
        notebook, judged = _run(course, path)
    except (ValueError, ZygoteError, KernelLostError) as error:
        raise CourseError(f"{path}: {error}") from error
    found = results(notebook)
    if not found:
        raise CourseError(f"{path} has no graded cell; mark its test cells in JupyterLab (View, nbgrader)")
    lost = [result for result in found if result.points < result.max_points and not result.needs_person]
    if lost:
        said = "; ".join(
            f"{part.name} {part.points:g} of {part.max_points:g} ({'; '.join(part.messages) or 'no message'})"
            for part in lost
        )
        raise CourseError(f"{path}: the solution does not get full marks by its own tests: {said}")
    if generous := _student_sets_points(notebook):
        raise CourseError(
            f"{path}: the test cell {generous!r} ends in a call of the student's code, and nbgrader would take what it "
            "gives back for points; assign it to a name, and end the cell in an assert or in points of your own"
        )
    return Proof(functions=len(found), points=sum(result.max_points for result in found), judged=judged)


def _run(course: Course, path: Path) -> tuple[NotebookNode, bool]:
    """Run the instructor's notebook; return it, and whether that was as a submission runs."""
    submission = {"assignment": path.parent.name, "notebook": path.stem}
    resources = {"nbgrader": submission, "metadata": {"path": str(path.parent)}}
    notebook = read_notebook(path)
    ClearOutput().preprocess(notebook, {})
    try:
        return JudgedExecute(config=course.config).prove(notebook, resources)[0], True
    except NotIsolatedError:
        execute(notebook, path.parent)
        return notebook, False


def _student_sets_points(notebook: NotebookNode) -> str | None:
    """Return the id of a graded cell whose last line is a call of what the solution defines; None without one."""
    students: set[str] = set()
    for cell in notebook.cells:
        if is_solution(cell):
            students |= set(names_of(cell.source)) if cell.cell_type == "code" else set()
        elif is_grade(cell) and cell.cell_type == "code":
            body = ast.parse(plain(cell.source)).body
            last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
            if isinstance(last, ast.Call) and read_names(ast.unparse(last.func)) & students:
                return cell.metadata.nbgrader["grade_id"]
    return None


def leaks(sources: list[Path], folder: Path) -> list[str]:
    """Return what in a student's folder gives away a solution or a hidden test, with its place.

    Args:
        sources: The instructor's notebooks.
        folder: The student's folder; all its files are looked at.

    Returns:
        A line for each leak; none when there is none.
    """
    secret, public = set(), set()
    for path in sources:
        for cell in read_notebook(path).cells:
            for line, hidden in _lines(cell):
                (secret if hidden else public).add(line.strip())
    secret = {line for line in secret - public if len(line) >= _TELLING_CHARACTERS}
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for number, line in enumerate(_text(path), start=1):
            if any(mark in line for mark in _MARKS) or line.strip() in secret:
                found.append(f"{path.name}, line {number}: {line.strip()[:80]}")
    return found


def _lines(cell: NotebookNode) -> Iterator[tuple[str, bool]]:
    """Yield each line of a cell and whether students must not see it."""
    lines = cell.source.split("\n")
    whole = is_solution(cell) and not any("BEGIN SOLUTION" in line for line in lines)
    hidden = False
    for line in lines:
        if any(mark in line for mark in _MARKS):
            hidden = "BEGIN" in line
        else:
            yield line, hidden or whole


def _text(path: Path) -> list[str]:
    """Return the lines of a file; of a notebook, those of its cells, their metadata and outputs."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    notebook = read_notebook(path)
    beside = [str([cell.metadata, cell.get("outputs"), cell.get("attachments")]) for cell in notebook.cells]
    return [line for cell in notebook.cells for line in cell.source.split("\n")] + beside


def copy_release(released: Released, destination: Path, *, replace: bool) -> list[Path]:
    """Copy a released assignment to where students work.

    Args:
        released: What was released.
        destination: The folder that holds the assignments' folders.
        replace: Overwrite files that differ, which may be a student's work.

    Returns:
        The files that were written.

    Raises:
        CourseError: A file that differs is there, and ``replace`` is not set; nothing is written then.
    """
    pairs = [
        (path, destination / released.assignment / path.relative_to(released.folder))
        for path in sorted(released.folder.rglob("*"))
        if path.is_file()
    ]
    different = [target for path, target in pairs if target.exists() and target.read_bytes() != path.read_bytes()]
    if different and not replace:
        raise CourseError(
            f"{different[0]} differs from what would be released, and may be somebody's work; "
            "leave it with --keep, or replace it with --force"
        )
    for path, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return [target for _, target in pairs]


def zip_release(released: list[Released], path: Path) -> Path:
    """Pack released assignments in a zip file that unpacks to a folder for each.

    Args:
        released: What was released.
        path: The file to write; one that is there is replaced.

    Returns:
        The same path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in released:
            for file in sorted(file for file in item.folder.rglob("*") if file.is_file()):
                archive.write(file, f"{item.assignment}/{file.relative_to(item.folder)}")
    fresh.replace(path)
    return path
