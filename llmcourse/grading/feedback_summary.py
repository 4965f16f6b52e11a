"""What a student should know first: for each function its points, and what the tests said.

Reads a graded notebook from which hidden tests were taken (:mod:`llmcourse.grading.feedback`), and makes of it the
table at the top of the feedback and the lines of ``llmcourse report --student``.
"""

from dataclasses import dataclass, replace
from html import escape

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from llmcourse.grading.exercise import Part, parts
from llmcourse.grading.failures import Failures
from llmcourse.grading.messages import one_line

__all__ = ["HIDDEN", "Finding", "findings", "remarks", "summary_html"]

# The line of a traceback that stands for lines of a hidden test.
HIDDEN = "in a hidden test"
_LIMIT = "LimitExceeded: "


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A function: its graded cells, its points, and what was said, a line each."""

    name: str
    cells: tuple[str, ...]
    points: float | None
    max_points: float
    said: tuple[str, ...]


def findings(notebook: NotebookNode) -> list[Finding]:
    """Return what a run says about each function.

    Args:
        notebook: Graded, without hidden tests. Where nbgrader has put scores into it, those are the points.

    Returns:
        A finding for each function, in order; None for points that a person must give.
    """
    found = parts(notebook)
    points = {part.name: _points([notebook.cells[i] for i in part.tests]) for part in found}
    passing = {part.name for part in found if (points[part.name] or 0.0) >= part.points}
    return [
        Finding(
            name=part.name,
            cells=tuple(notebook.cells[i].metadata.nbgrader["grade_id"] for i in part.tests),
            points=points[part.name],
            max_points=part.points,
            said=tuple(map(_line, _said(notebook, part, found, passing))),
        )
        for part in found
    ]


def _points(cells: list[NotebookNode]) -> float | None:
    scores = [cell.metadata.nbgrader.get("score", determine_grade(cell)[0]) for cell in cells]
    return None if None in scores else sum(scores)


def _said(notebook: NotebookNode, part: Part, found: list[Part], passing: set[str]) -> list[str]:
    """Return the errors of the answer, or else the first failing visible test and the first hidden one."""
    if any(output.output_type == "error" for i in part.answers for output in notebook.cells[i].get("outputs", ())):
        return list(Failures(notebook, found, passing).messages(part))[:2]
    visible, hidden = [], []
    for index in part.tests:
        cell, alone = notebook.cells[index], replace(part, tests=(index,))
        others = [alone if other is part else other for other in found]
        for message in Failures(notebook, others, passing).messages(alone)[:1]:
            if any(HIDDEN in output.get("traceback", ()) for output in cell.outputs):
                hidden.append(f"a hidden test: {message}")
            else:
                visible.append(f"{cell.metadata.nbgrader['grade_id']}: {message}")
    return visible[:1] + hidden[:1]


def _line(message: str) -> str:
    return one_line(message.replace(_LIMIT, "a limit was hit: "))


def remarks(notebook: NotebookNode) -> list[str]:
    """Return what the run as a whole was told, such as a limit that it hit."""
    said = notebook.metadata.get("llmcourse", {}).get("remarks", [])
    return [one_line(str(line)) for line in said] if isinstance(said, list) else []


def summary_html(found: list[Finding], said: list[str]) -> str:
    """Return the summary as one line of HTML, in which all that a student wrote is text.

    Args:
        found: What :func:`findings` gives.
        said: What :func:`remarks` gives.

    Returns:
        A heading, a table, and a list where there are remarks.
    """
    rows = "".join(
        f"<tr><td><code>{escape(item.name)}</code></td><td>{_of(item)}</td>"
        f"<td>{'<br>'.join(_text(line) for line in item.said)}</td></tr>"
        for item in found
    )
    notes = "".join(f"<li>{_text(line)}</li>" for line in said)
    return (
        '<div><h2>Summary</h2><table class="table"><thead><tr><th>Function</th><th>Points</th>'
        "<th>What the tests say</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>{f'<ul>{notes}</ul>' if notes else ''}</div>"
    )


def _of(item: Finding) -> str:
    return f"{'to be marked' if item.points is None else f'{item.points:g}'} of {item.max_points:g}"


def _text(line: str) -> str:
    # MathJax would set what stands between dollars.
    return f'<span class="tex2jax_ignore">{escape(line)}</span>'
