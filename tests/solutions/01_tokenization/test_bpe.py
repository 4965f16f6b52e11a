"""What is particular to the exercise: its functions are the reference's, and its text says what its cells hold."""

import ast
import copy
import importlib
import inspect
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters.exporter import ResourcesDict
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

EXERCISE = Path(__file__).resolve().parents[3] / "solutions" / "01_tokenization" / "bpe.ipynb"
FUNCTIONS = ("count_pairs", "merge_pair", "learn_merges", "encode_word", "decode", "split_special")
ALLOWED = {*sys.stdlib_module_names, "numpy", "torch", "regex"}


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(EXERCISE, as_version=4)


@pytest.fixture(scope="module")
def solution(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """The instructor's functions."""
    namespace: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.id == "setup" or cell.id.endswith("-solution"):
            exec(cell.source, namespace)
    return namespace


@pytest.fixture(scope="module")
def released(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What nbgrader gives to students."""
    notebook = copy.deepcopy(notebook)
    for preprocessor in (ClearSolutions(), ClearHiddenTests()):
        notebook, _ = preprocessor.preprocess(notebook, ResourcesDict())
    return notebook


def reference(name: str) -> Callable[..., Any]:
    return getattr(importlib.import_module("llmcourse.tokenization.steps"), name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_reference(solution: dict[str, Any], name: str) -> None:
    asked, given = (inspect.signature(function).parameters.values() for function in (solution[name], reference(name)))
    assert [(p.name, p.kind, p.default) for p in asked] == [(p.name, p.kind, p.default) for p in given]


@pytest.mark.parametrize("seed", range(5))
def test_solution_agrees_with_the_reference(solution: dict[str, Any], seed: int) -> None:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdé日\u200d🙂", k=rng.randint(1, 6))) for _ in range(30)]
    text = " ".join(rng.choices(words, k=200))
    merges = solution["learn_merges"](text, 280)
    assert merges == reference("learn_merges")(text, 280) and len(merges) == 24
    for word in words:
        assert solution["encode_word"](word.encode(), merges) == reference("encode_word")(word.encode(), merges)
    vocab = {i: bytes([i]) for i in range(256)} | {256 + i: a + b for i, (a, b) in enumerate(merges)}
    ids = rng.choices(range(280), k=100)  # broken UTF-8 among them
    assert solution["decode"](ids, vocab) == reference("decode")(ids, vocab)
    special = ["ab", "abc", "é"]
    assert solution["split_special"](text, special) == reference("split_special")(text, special)
    counts = {tuple(word.encode()): n for n, word in enumerate(words, start=1)}
    assert solution["count_pairs"](counts) == reference("count_pairs")(counts)
    data = bytes(rng.choices(b"ab", k=50))
    assert solution["merge_pair"](data, (97, 97), 256) == reference("merge_pair")(data, (97, 97), 256)


def test_text_states_the_points_and_minutes_that_there_are(notebook: nbformat.NotebookNode) -> None:
    cells = {cell.id: cell for cell in notebook.cells}
    rows = re.findall(r"^\| \d \| `(\w+)`.*\| (\d+) \| (\d+) \|$", cells["title"].source, flags=re.MULTILINE)
    assert tuple(name for name, _, _ in rows) == FUNCTIONS
    for name, minutes, points in rows:
        stem = name.replace("_", "-")
        assert f"about {minutes} minutes, {points} points*" in cells[f"{stem}-task"].source
        tests = [cell for cell in notebook.cells if cell.id.startswith(stem) and cell.metadata.nbgrader.get("points")]
        assert sum(cell.metadata.nbgrader.points for cell in tests) == int(points)
        for cell in tests:
            worth = cell.metadata.nbgrader.points
            assert f"({worth} point{'s' * (worth > 1)})" in cell.source.splitlines()[0], cell.id
    minutes, points = (sum(int(row[column]) for row in rows) for column in (1, 2))
    assert f"| {minutes} | {points} |" in cells["title"].source


def test_students_get_no_solution_and_no_hidden_test(
    notebook: nbformat.NotebookNode, released: nbformat.NotebookNode
) -> None:
    text = "\n".join(cell.source for cell in released.cells)
    assert "HIDDEN" not in text and "LLMCOURSE_GRADING_SEED" not in text and "SOLUTION" not in text
    assert text.count("raise NotImplementedError()") >= len(FUNCTIONS)
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
