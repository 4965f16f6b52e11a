"""The graders are graded: each wrong answer loses exactly the points that it should, each right answer none.

An exercise ``solutions/CHAPTER/NAME.ipynb`` has its answers in ``tests/solutions/CHAPTER/NAME/wrong`` and ``right``.
An answer is a Python file that defines some (a right one: all) of the exercise's functions. A wrong one says in its
docstring which mistake it makes, and in ``LOSES`` which graded cells lose how many points.

The cells of the notebook run in this process, in a namespace of their own, since a kernel for each answer would take
seconds; points are then given by nbgrader's own rule. A test cell that reaches nothing of an answer, by name,
gives what it gives without the answer, and does not run again.
"""

import ast
import contextlib
import functools
import io
import traceback
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, TypeGuard

import nbformat
import pytest
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import determine_grade

HERE = Path(__file__).resolve().parent
SOLUTIONS = HERE.parents[1] / "solutions"
SEEDS = (1, 2, 3)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a student hands in for some of the functions."""

    path: Path
    preamble: CodeType
    definitions: dict[str, CodeType]
    loses: dict[str, float] | None
    misconception: str

    @property
    def name(self) -> str:
        """The exercise and the file: bpe/ties_first_seen."""
        return f"{self.path.parents[1].name}/{self.path.stem}"

    @property
    def names(self) -> set[str]:
        """What the answer may change: its functions, and what stands before them."""
        return {*self.definitions, *self.preamble.co_names} - {"LOSES", "__doc__"}


def is_definition(node: ast.stmt, names: set[str]) -> TypeGuard[ast.FunctionDef | ast.ClassDef]:
    """Return whether a statement defines one of the names."""
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names


def compiled(nodes: list[ast.stmt], file: str) -> CodeType:
    """Compile statements that keep their line numbers."""
    return compile(ast.Module(body=nodes, type_ignores=[]), file, "exec")


@functools.cache
def as_cell(source: str, name: str) -> tuple[CodeType, CodeType | None]:
    """Compile a cell once for all answers: what runs, and the expression at its end, whose value is its result."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    value = compile(ast.Expression(last.value), name, "eval") if isinstance(last, ast.Expr) else None
    return compiled(body, name), value


@functools.cache
def notebook(exercise: Path, hidden: bool = True) -> NotebookNode:
    """Read an exercise once: the instructor's source, or without the hidden tests, as students have it."""
    source = nbformat.read(exercise, as_version=4)
    return source if hidden else ClearHiddenTests().preprocess(source, ResourcesDict())[0]


def graded(cell: NotebookNode, role: str) -> bool:
    """Return whether a cell has a role in grading: ``grade``, ``solution`` or ``locked``."""
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get(role))


@functools.cache
def asked_for(exercise: Path) -> dict[str, str]:
    """Return the functions that an exercise asks for, with the id of the cell that holds each one's solution."""
    names = {}
    for cell in notebook(exercise).cells:
        if graded(cell, "solution"):
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    names[node.name] = cell.metadata.nbgrader.grade_id
    return names


@functools.cache
def read_answer(path: Path) -> Answer:
    """Read one answer; what is no function of the exercise's goes before its first function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set(asked_for(exercise_of(path)))
    definitions = {node.name: compiled([node], str(path)) for node in tree.body if is_definition(node, names)}
    rest = [node for node in tree.body if not is_definition(node, names)]
    declared = [
        node.value
        for node in rest
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "LOSES"
    ]
    return Answer(
        path=path,
        preamble=compiled(rest, str(path)),
        definitions=definitions,
        loses=ast.literal_eval(declared[0]) if declared else None,
        misconception=ast.get_docstring(tree) or "",
    )


def exercise_of(path: Path) -> Path:
    """Return the notebook that an answer belongs to."""
    folder = path.parents[1]
    return SOLUTIONS / folder.parent.name / f"{folder.name}.ipynb"


def run(source: CodeType | str, namespace: dict[str, Any], name: str = "") -> Iterator[NotebookNode]:
    """Run a cell as a notebook does, and yield its outputs as far as grading looks at them."""
    warned = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(warned):
        try:
            if isinstance(source, CodeType):
                exec(source, namespace)
            else:
                body, last = as_cell(source, name)
                exec(body, namespace)
                value = last and eval(last, namespace)
                if value is not None:
                    yield new_output("execute_result", {"text/plain": repr(value)})
        except Exception as error:
            yield new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[traceback.format_exc()])
    if warned.getvalue():
        yield new_output("stream", name="stderr", text=warned.getvalue())


@functools.cache
def mentioned(code: CodeType) -> frozenset[str]:
    """Return every name that some code reads or writes, in the functions inside it as well."""
    inside = [mentioned(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return frozenset(code.co_names).union(*inside)


def reached(cell: NotebookNode, exercise: Path, providers: dict[str, Answer]) -> set[str]:
    """Return the names that a cell mentions, or that a function of the exercise does which it mentions, and so on."""
    own = {
        c.id: frozenset().union(*(mentioned(code) for code in as_cell(c.source, c.id) if code))
        for c in code_cells(exercise)
    }
    found, waiting = set(), set(own[cell.id])
    while waiting:
        name = waiting.pop()
        found.add(name)
        if name in providers:
            provider = providers[name]
            waiting |= mentioned(provider.definitions[name]) | mentioned(provider.preamble)
        elif name in asked_for(exercise):
            waiting |= own[asked_for(exercise)[name]]
        waiting -= found
    return found


def code_cells(exercise: Path) -> list[NotebookNode]:
    """Return the code cells of an exercise's source."""
    return [cell for cell in notebook(exercise).cells if cell.cell_type == "code"]


def grade(
    exercise: Path, *answers: Answer, hidden: bool = True, skip: Set[str] = frozenset()
) -> tuple[dict[str, float], dict[str, str]]:
    """Run an exercise with the functions of some answers in the place of its own; of two, the later answer's.

    Args:
        exercise: The notebook.
        *answers: What to put in.
        hidden: Whether to run hidden tests, too.
        skip: Test cells to leave out, by their ids.

    Returns:
        The points that each graded cell loses (only the cells that lose any), and each one's message.
    """
    providers = {name: answer for answer in answers for name in answer.definitions}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    lost, messages, begun = {}, {}, set()
    for cell in notebook(exercise, hidden).cells:
        if cell.cell_type != "code":
            continue
        names = [name for name, solution in asked_for(exercise).items() if cell.id == solution and name in providers]
        for answer in {providers[name].path: providers[name] for name in names}.values():
            if answer.path not in begun:
                begun.add(answer.path)
                exec(answer.preamble, namespace)
        for name in names:
            exec(providers[name].definitions[name], namespace)
        if names:
            continue
        if cell.id in skip:
            continue
        outputs = list(run(cell.source, namespace, cell.id))
        if not graded(cell, "grade"):
            continue
        points, most = determine_grade(NotebookNode(cell | {"outputs": outputs}))
        if points != most:
            lost[cell.id] = most - (points or 0)
            messages[cell.id] = next((output.evalue for output in outputs if output.output_type == "error"), "")
    return lost, messages


@functools.cache
def outcome(path: Path, seed: int, base: Path | None = None) -> tuple[dict[str, float], dict[str, str]]:
    """Grade one answer, on top of the notebook's own solution or of another answer."""
    exercise, answer, below = exercise_of(path), read_answer(path), [read_answer(base)] if base else []
    providers = {name: one for one in (*below, answer) for name in one.definitions}
    same = {
        cell.id
        for cell in code_cells(exercise)
        if graded(cell, "grade") and not reached(cell, exercise, providers) & answer.names
    }
    before = without(exercise, base, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMCOURSE_GRADING_SEED", str(seed))
        lost, messages = grade(exercise, *below, answer, skip=same)
    return (
        {cell: points for cell, points in before[0].items() if cell in same} | lost,
        {cell: message for cell, message in before[1].items() if cell in same} | messages,
    )


@functools.cache
def without(exercise: Path, base: Path | None, seed: int) -> tuple[dict[str, float], dict[str, str]]:
    """Grade the notebook's own solution, or the answer below another one, in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMCOURSE_GRADING_SEED", str(seed))
        return grade(exercise, *([read_answer(base)] if base else []))


def test_a_cell_reaches_what_its_functions_call() -> None:
    """In the exercise on BPE the training loop calls the merge, and the counting calls nothing."""
    exercise = SOLUTIONS / "01_tokenization" / "bpe.ipynb"
    cells = {cell.id: cell for cell in code_cells(exercise)}
    assert "merge_pair" in reached(cells["learn-merges-ties"], exercise, {})
    assert "merge_pair" not in reached(cells["count-pairs-frequencies"], exercise, {})


EXERCISES = sorted(SOLUTIONS.glob("*/*.ipynb"))
WRONG = sorted(HERE.glob("*/*/wrong/*.py"))
RIGHT = sorted(HERE.glob("*/*/right/*.py"))


def label(path: Path) -> str:
    """Return what pytest calls a case."""
    return path.stem if path.suffix == ".ipynb" else f"{path.parents[1].name}-{path.stem}"


def answers_to(exercise: Path, kind: str) -> list[Path]:
    """Return the answers of one kind, ``wrong`` or ``right``, to an exercise."""
    return [path for path in (WRONG if kind == "wrong" else RIGHT) if exercise_of(path) == exercise]


def is_killed(path: Path) -> bool:
    """Return whether a wrong answer loses exactly its points, whatever the seed."""
    return all(outcome(path, seed)[0] == read_answer(path).loses for seed in SEEDS)


@pytest.mark.parametrize("path", WRONG, ids=label)
def test_wrong_answer_loses_exactly_its_points(path: Path) -> None:
    answer = read_answer(path)
    assert answer.misconception and answer.loses, "a wrong answer names its misconception, and loses something"
    assert answer.definitions, f"none of {', '.join(asked_for(exercise_of(path)))} is defined"
    for seed in SEEDS:
        lost, messages = outcome(path, seed)
        assert lost == answer.loses, f"seed {seed}: {messages}"
        assert all(messages.values()), "a cell that fails says why"


@pytest.mark.parametrize("path", RIGHT, ids=label)
def test_right_answer_gets_full_marks(path: Path) -> None:
    assert set(read_answer(path).definitions) == set(asked_for(exercise_of(path)))
    assert grade(exercise_of(path), read_answer(path), hidden=False) == ({}, {}), "visible tests alone"
    for seed in SEEDS:
        lost, messages = outcome(path, seed)
        assert not lost, f"seed {seed}: {messages}"


@pytest.mark.parametrize("path", [path for path in WRONG if path.stem == "hard_coded"], ids=label)
def test_hard_coded_answer_fails_by_the_hidden_tests_alone(path: Path) -> None:
    """It passes what students see, so that it is the inputs drawn when grading that catch it."""
    assert grade(exercise_of(path), read_answer(path), hidden=False) == ({}, {})


@pytest.mark.parametrize("path", [path for path in WRONG if len(read_answer(path).definitions) == 1], ids=label)
def test_a_mistake_costs_no_other_function(path: Path) -> None:
    """Where no function calls another one, a mistake in one loses points in its own cells only."""
    base = path.parents[1] / "right" / "standalone.py"
    if not base.exists():
        pytest.skip(f"{base.parents[0]} has no standalone.py, whose functions do not call each other")
    (name,) = read_answer(path).definitions
    own = name.lower().replace("_", "-") + "-"
    loses = read_answer(path).loses or {}
    expected = {cell: points for cell, points in loses.items() if cell.startswith(own)}
    assert outcome(path, SEEDS[0], base)[0] == expected


@pytest.mark.parametrize("exercise", EXERCISES, ids=label)
def test_kill_rate(exercise: Path, record_property) -> None:
    wrong, right = answers_to(exercise, "wrong"), answers_to(exercise, "right")
    killed = sum(is_killed(path) for path in wrong)
    full = sum(not any(outcome(path, seed)[0] for seed in SEEDS) for path in right)
    rate = f"{exercise.stem} {killed}/{len(wrong)} killed, {full}/{len(right)} right answers in full"
    record_property("kill_rate", rate)
    assert len(wrong) >= 10 and len(right) >= 2, f"too few answers to grade the graders with: {rate}"
    assert killed == len(wrong) and full == len(right), rate
    hit = {cell for path in wrong for cell in read_answer(path).loses or {}}
    cells = {cell.id for cell in notebook(exercise).cells if graded(cell, "grade")}
    assert hit == cells, f"no wrong answer fails {sorted(cells - hit)}"
