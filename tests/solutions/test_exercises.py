"""What holds for every exercise: its text says what its cells hold, and students get no solution."""

import ast
import copy
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters.exporter import ResourcesDict
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

EXERCISES = sorted((Path(__file__).resolve().parents[2] / "solutions").glob("*/*.ipynb"))
ALLOWED = {*sys.stdlib_module_names, "numpy", "torch", "regex"}


@pytest.fixture(scope="module", params=EXERCISES, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(scope="module")
def released(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What nbgrader gives to students."""
    notebook = copy.deepcopy(notebook)
    for preprocessor in (ClearSolutions(), ClearHiddenTests()):
        notebook, _ = preprocessor.preprocess(notebook, ResourcesDict())
    return notebook


def rows(notebook: nbformat.NotebookNode) -> list[tuple[str, str, str, str]]:
    """Return the rows of the table at the top: function, difficulty, minutes, points."""
    pattern = r"^\| \d \| `(\w+)`.*\| ([●○]{5}) \| (\d+) \| (\d+) \|$"
    return re.findall(pattern, notebook.cells[0].source, flags=re.MULTILINE)


def defined(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Return the functions and classes that the solutions define, with their cells."""
    return {
        node.name: cell.id
        for cell in notebook.cells
        if cell.id.endswith("-solution")
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def test_an_exercise_has_three_to_six_functions(notebook: nbformat.NotebookNode) -> None:
    assert 3 <= len(rows(notebook)) <= 6
    assert {name: f"{name.lower().replace('_', '-')}-solution" for name, *_ in rows(notebook)} == defined(notebook)


def test_text_states_the_points_and_minutes_that_there_are(notebook: nbformat.NotebookNode) -> None:
    cells = {cell.id: cell for cell in notebook.cells}
    for name, difficulty, minutes, points in rows(notebook):
        stem = name.lower().replace("_", "-")
        task = cells[f"{stem}-task"].source
        assert f"*Difficulty {difficulty}, about {minutes} minutes, {points} points*" in task
        assert "<details><summary>Hint" in task
        tests = [cell for cell in notebook.cells if cell.id.startswith(stem) and cell.metadata.nbgrader.get("points")]
        assert sum(cell.metadata.nbgrader.points for cell in tests) == int(points)
        for cell in tests:
            worth = cell.metadata.nbgrader.points
            assert f"({worth} point{'s' * (worth > 1)})" in cell.source.splitlines()[0], cell.id
            assert cell.source.splitlines()[-1].startswith("print("), f"{cell.id} does not say that it passed"
    minutes, points = (sum(int(row[column]) for row in rows(notebook)) for column in (2, 3))
    assert f"| {minutes} | {points} |" in cells["title"].source


def test_every_graded_cell_has_visible_and_hidden_tests(
    notebook: nbformat.NotebookNode, released: nbformat.NotebookNode
) -> None:
    for cell, shown in zip(notebook.cells, released.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("points"):
            visible = sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(shown.source)))
            every = sum(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(ast.parse(cell.source)))
            assert 0 < visible < every, cell.id


def test_every_assertion_says_what_is_wrong(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            silent = [
                node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert) and not node.msg
            ]
            assert not silent, f"{cell.id}: {ast.unparse(silent[0])}"


def test_students_get_no_solution_and_no_hidden_test(
    notebook: nbformat.NotebookNode, released: nbformat.NotebookNode
) -> None:
    text = "\n".join(cell.source for cell in released.cells)
    assert "HIDDEN" not in text and "LLMCOURSE_GRADING_SEED" not in text and "SOLUTION" not in text
    assert text.count("raise NotImplementedError()") >= len(defined(notebook))
    for cell, source in zip(released.cells, notebook.cells, strict=True):
        assert cell.id == source.id
        if cell.cell_type == "code":
            ast.parse(cell.source)


def test_exercise_needs_nothing_of_the_course(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= ALLOWED, cell.id
