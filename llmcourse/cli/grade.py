"""``llmcourse grade``: mark what students handed in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from llmcourse.cli.terminal import console, course_at, mistakes

if TYPE_CHECKING:
    from llmcourse.grading.autograde import Outcome
    from llmcourse.grading.course import Course
    from llmcourse.grading.submissions import Submission

FAILED, PERSON, STOPPED = 1, 3, 130


def grade(
    assignment: Annotated[
        str | None, typer.Argument(help="A folder of solutions/; all that were released if none")
    ] = None,
    student: Annotated[str | None, typer.Option(help="Only this student's submissions")] = None,
    force: Annotated[bool, typer.Option(help="Grade again what was graded and has not changed")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many submissions were run")] = None,
    course: Annotated[Path | None, typer.Option(help="The course's folder; else the current one or above")] = None,
) -> None:
    """Grade **submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb** as `nbgrader autograde` does.

    A submission that cannot be graded gets a reason and does not stop the others. What was graded and has not changed
    is skipped. Marks go into nbgrader's gradebook; see them with `llmcourse report`.

    Exit code: 0 when all were graded, 1 when some failed, 3 when none failed but some need a person's marks.
    """
    with mistakes():
        from llmcourse.grading.autograde import check_released
        from llmcourse.grading.submissions import find_submissions, misplaced

        opened = course_at(course)
        chosen = _chosen(opened, assignment)
        check_released(opened, chosen)
        found = find_submissions(opened, chosen, student=student)
        for line in misplaced(opened):
            console.print(f"[yellow]not graded[/] {escape(line)}")
    outcomes, stopped = _run(opened, found, force=force, limit=limit)
    raise typer.Exit(_close(outcomes, total=len(found), stopped=stopped))


def _chosen(course: "Course", assignment: str | None) -> list[str]:
    if assignment is not None:
        return course.select([assignment])
    with course.gradebook() as gradebook:
        released = {entry.name for entry in gradebook.assignments}
    return [name for name in course.select([]) if name in released]


def _run(
    course: "Course", found: "list[Submission]", *, force: bool, limit: int | None
) -> "tuple[list[Outcome], bool]":
    from llmcourse.grading.autograde import grade_submission

    outcomes, ran = [], 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("time left"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("grading", total=len(found))
        for submission in found:
            if limit is not None and ran >= limit:
                break
            bar.update(task, description=escape(f"{submission.student} {submission.assignment}"))
            try:
                outcome = grade_submission(course, submission, force=force)
            except KeyboardInterrupt:
                return outcomes, True
            outcomes.append(outcome)
            ran += not outcome.unchanged
            bar.console.print(_line(outcome))
            bar.advance(task)
    return outcomes, False


def _line(outcome: "Outcome") -> str:
    where = escape(f"{outcome.submission.student}  {outcome.submission.assignment}")
    if outcome.reason is not None:
        return f"[red]failed[/]    {where}  {escape(outcome.reason)}"
    from llmcourse.grading.page import duration

    remarks = list(outcome.remarks)
    if outcome.late_s > 0:
        remarks.insert(0, f"late by {duration(outcome.late_s)}")
    if outcome.needs_person:
        remarks.append("some answers need a person's marks: see formgrader")
    word = "[dim]unchanged[/]" if outcome.unchanged else "[green]graded[/]   "
    said = f"  ({escape('; '.join(remarks))})" if remarks else ""
    return f"{word} {where}  {outcome.points:g} / {outcome.max_points:g}{said}"


def _close(outcomes: "list[Outcome]", *, total: int, stopped: bool) -> int:
    failed = sum(outcome.reason is not None for outcome in outcomes)
    person = sum(outcome.needs_person for outcome in outcomes)
    unchanged = sum(outcome.unchanged for outcome in outcomes)
    if total == 0:
        console.print("There is nothing to grade: no submitted/<student>/<assignment>/ of an assignment")
    counts = f"{len(outcomes) - failed} graded ({unchanged} unchanged), {failed} failed, {person} need a person"
    left = total - len(outcomes)
    console.print(f"{'Stopped: ' if stopped else ''}{counts}{f', {left} left' if left else ''}")
    if stopped:
        return STOPPED
    return FAILED if failed else PERSON if person else 0
