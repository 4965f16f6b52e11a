"""What tests of exercises share; the answers under ``wrong/`` and ``right/`` are material, not modules to collect."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

collect_ignore_glob = ["*/*/wrong/*.py", "*/*/right/*.py"]


@pytest.fixture(scope="module")
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    """The source of the exercise that the test's module names in EXERCISE."""
    root = Path(__file__).resolve().parents[2]
    return nbformat.read(root / "solutions" / request.module.EXERCISE, as_version=4)


@pytest.fixture(scope="module")
def solution(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """The instructor's functions, and what the setup brings."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.id == "setup" or cell.id.endswith("-solution"):
            exec(cell.source, namespace)
    return namespace


@pytest.fixture
def run_with(
    notebook: nbformat.NotebookNode, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[dict[str, Any]], Mapping[str, Any]], int], None]:
    """Run all tests of an exercise on functions other than the solution's; one that fails raises."""

    def run(answer: Callable[[dict[str, Any]], Mapping[str, Any]], seed: int) -> None:
        monkeypatch.setenv("LLMCOURSE_GRADING_SEED", str(seed))
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in notebook.cells:
            if cell.id == "setup":
                exec(cell.source, namespace)
                namespace |= answer(namespace)
            elif cell.cell_type == "code" and not cell.id.endswith("-solution"):
                exec(cell.source, namespace)

    return run


@pytest.fixture
def parameters_of() -> Callable[..., list[tuple[str, Any, Any]]]:
    """Return names, kinds and defaults of a function's parameters, but those that an exercise leaves out."""

    def parameters(function: Callable[..., Any], left_out: set[str] = frozenset()) -> list[tuple[str, Any, Any]]:
        found = list(inspect.signature(function).parameters.values())
        assert left_out <= {p.name for p in found}, f"{function} has no {left_out}"
        optional = {p.name for p in found if p.default is not p.empty}
        assert left_out <= optional, "what is left out has to have a default"
        return [(p.name, p.kind, p.default) for p in found if p.name not in left_out]

    return parameters
