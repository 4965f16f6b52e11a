"""A real exercise gets the same points through the border as in one process."""

import ast
import contextlib
import io
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from llmcourse.grading.border import names_of

ROOT = Path(__file__).resolve().parents[3]
EXERCISES = sorted(ROOT.glob("solutions/*/*.ipynb"))
SEED = "7"


def answers(exercise: Path) -> list[Path]:
    folder = ROOT / "tests" / "solutions" / exercise.parent.name / exercise.stem
    return sorted(folder.glob("right/*.py")) + sorted(folder.glob("wrong/*.py"))


def role(cell: NotebookNode, name: str) -> bool:
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get(name))


def handed_in(cells: list[NotebookNode], answer: Path | None) -> str:
    """Return what the student's process runs: all cells but tests, with the answer's functions in place."""
    source = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code" and not role(cell, "grade")
                         and not (answer and cell.id == "tokenizer"))  # fmt: skip
    return source if answer is None else f"{source}\n\n{answer.read_text(encoding='utf-8')}"


def lost_in_one_process(answer: Path) -> dict[str, float]:
    return next(
        ast.literal_eval(node.value)
        for node in ast.parse(answer.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LOSES"
    )


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.stem)
def test_answers_get_the_same_points(start, monkeypatch, exercise: Path) -> None:
    """The solution, each right answer and every sixth wrong one."""
    compare(start, monkeypatch, exercise, step=6)


@pytest.mark.soak
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.stem)
def test_all_answers_get_the_same_points(start, monkeypatch, exercise: Path) -> None:
    compare(start, monkeypatch, exercise, step=1)


def compare(start, monkeypatch, exercise: Path, step: int) -> None:
    monkeypatch.setenv("LLMCOURSE_GRADING_SEED", SEED)
    cells = nbformat.read(exercise, as_version=4).cells
    shared = "\n".join(cell.source for cell in cells if role(cell, "locked") and not role(cell, "grade"))
    assert not any(role(cell, "solution") and role(cell, "grade") for cell in cells)
    right = [path for path in answers(exercise) if path.parent.name == "right"]
    for answer in [None, *right, *[path for path in answers(exercise) if path not in right][::step]]:
        solution = "\n".join(cell.source for cell in cells if role(cell, "solution"))
        session = start(handed_in(cells, answer), solution=solution)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(shared, session.judge.namespace)
        session.judge.define(names_of(solution))
        lost = {}
        for cell in cells:
            if role(cell, "grade"):
                run = session.run(cell.source, name=cell.id)
                points, most = determine_grade(NotebookNode(cell | {"outputs": run.outputs}))
                if points != most:
                    lost[cell.id] = most - (points or 0)
        full = answer is None or answer in right
        assert lost == ({} if full else lost_in_one_process(answer)), answer and answer.stem
