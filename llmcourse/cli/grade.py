"""``llmcourse grade``: mark what students handed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from llmcourse.cli.terminal import console, course_at, mistakes, problem

if TYPE_CHECKING:
    from llmcourse.grading.course import Course
    from llmcourse.grading.pool import Workers
    from llmcourse.grading.submissions import Submission
    from llmcourse.grading.writer import Outcome

FAILED, PERSON, STOPPED = 1, 3, 130


def grade(
    assignment: Annotated[
        str | None, typer.Argument(help="A folder of solutions/; all that were released if none")
    ] = None,
    student: Annotated[str | None, typer.Option(help="Only this student's submissions")] = None,
    force: Annotated[bool, typer.Option(help="Grade again what was graded and has not changed")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many submissions were run")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Submissions run at a time on this machine; one for each CPU if not given")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Run them on the workers of this Dask scheduler, tcp://HOST:PORT, instead")
    ] = None,
    accept_unisolated: Annotated[
        bool,
        typer.Option(help="Without a sandbox on this machine, run submissions that can read and write what you can"),
    ] = False,
    course: Annotated[Path | None, typer.Option(help="The course's folder; else the current one or above")] = None,
) -> None:
    """Grade **submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb** as `nbgrader autograde` does.

    A submission that cannot be graded gets a reason and does not stop the others. What was graded and has not changed
    is skipped, so a run that was stopped goes on when it is started again. Marks go into nbgrader's gradebook; see them
    with `llmcourse report`.

    Exit code: 0 when all were graded, 1 when some failed or the run could not go on, 3 when none failed but some need
    a person's marks, 130 after Ctrl-C.
    """
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("--workers counts processes of this machine, and --scheduler has its own: give one")
    with mistakes():
        from llmcourse.grading.autograde import check_released
        from llmcourse.grading.course import CourseError
        from llmcourse.grading.room import DiskFullError
        from llmcourse.grading.submissions import find_submissions, misplaced
        from llmcourse.grading.transaction import GradebookError
        from llmcourse.sandbox import NotIsolatedError

        opened = course_at(course)
        if accept_unisolated:
            opened.config.JudgedExecute.accept_unisolated = True
        chosen = _chosen(opened, assignment)
        check_released(opened, chosen)
        found = find_submissions(opened, chosen, student=student)
        for line in misplaced(opened):
            console.print(f"[yellow]not graded[/] {escape(line)}")
    outcomes: list[Outcome] = []
    code = None
    try:
        _run(opened, found, outcomes, workers, scheduler, force=force, limit=limit)
    except KeyboardInterrupt:
        code = STOPPED
    except (CourseError, DiskFullError, GradebookError, NotIsolatedError) as error:
        problem(error)
        code = FAILED
    raise typer.Exit(_close(outcomes, total=len(found), code=code))


def _chosen(course: "Course", assignment: str | None) -> list[str]:
    if assignment is not None:
        return course.select([assignment])
    with course.gradebook() as gradebook:
        released = {entry.name for entry in gradebook.assignments}
    return [name for name in course.select([]) if name in released]


def _run(
    opened: "Course",
    found: "list[Submission]",
    collected: "list[Outcome]",
    count: int | None,
    scheduler: str | None,
    **how: Any,
) -> None:
    """Grade, and print and collect each outcome as it comes."""
    from llmcourse.grading.autograde import grade as outcomes_of

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("time left"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:

        def say(line: str) -> None:
            bar.console.print(f"[yellow]waiting[/]   {escape(line)}")

        task = bar.add_task("grading", total=len(found))
        with _workers(opened, found, count, scheduler) as workers:
            for outcome in outcomes_of(opened, found, workers, say=say, **how):
                collected.append(outcome)
                bar.console.print(_line(outcome))
                bar.advance(task)


@contextmanager
def _workers(
    opened: "Course", found: "list[Submission]", count: int | None, scheduler: str | None
) -> "Iterator[Workers]":
    """Start local workers, which share warm servers, or find those of a scheduler, which have their own."""
    from llmcourse.grading.cluster import cluster
    from llmcourse.grading.judged import servers_for
    from llmcourse.grading.pool import Local

    if scheduler is not None:
        with cluster(scheduler) as workers:
            yield workers
        return
    assignments = sorted({submission.assignment for submission in found})
    with servers_for(opened.config, opened.solutions, assignments), Local(count) as workers:
        yield workers


def _line(outcome: "Outcome") -> str:
    where = _printable(f"{outcome.submission.student}  {outcome.submission.assignment}")
    if outcome.reason is not None:
        return f"[red]failed[/]    {where}  {_printable(outcome.reason)}"
    from llmcourse.grading.page import duration

    remarks = list(outcome.remarks)
    if outcome.late_s > 0:
        remarks.insert(0, f"late by {duration(outcome.late_s)}")
    if outcome.needs_person:
        remarks.append("some answers need a person's marks: see formgrader")
    word = "[dim]unchanged[/]" if outcome.unchanged else "[green]graded[/]   "
    said = f"  ({_printable('; '.join(remarks))})" if remarks else ""
    return f"{word} {where}  {outcome.points:g} / {outcome.max_points:g}{said}"


def _printable(text: str) -> str:
    """Return text, of which a submission may have a part, without what would steer a terminal."""
    return escape("".join(character if character.isprintable() else " " for character in text))


def _close(outcomes: "list[Outcome]", *, total: int, code: int | None) -> int:
    """Print the last line and return the exit code; one that is given says that the run was stopped."""
    failed = sum(outcome.reason is not None for outcome in outcomes)
    person = sum(outcome.needs_person for outcome in outcomes)
    unchanged = sum(outcome.unchanged for outcome in outcomes)
    if total == 0:
        console.print("There is nothing to grade: no submitted/<student>/<assignment>/ of an assignment")
    counts = f"{len(outcomes) - failed} graded ({unchanged} unchanged), {failed} failed, {person} need a person"
    left = total - len(outcomes)
    console.print(f"{'' if code is None else 'Stopped: '}{counts}{f', {left} left' if left else ''}")
    if code is not None:
        return code
    return FAILED if failed else PERSON if person else 0
