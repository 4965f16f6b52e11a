"""No change of a notebook's metadata or cells reaches its tests."""

import nbformat
import pytest
import released as RELEASED
from nbformat.v4 import new_code_cell
from nbgrader.utils import determine_grade, is_grade


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    return RELEASED.steps(tmp_path_factory.mktemp("steps"))


def _replace_tests(notebook):
    for cell in notebook.cells[2:4]:
        cell.source = "assert True"


def _delete_tests(notebook):
    del notebook.cells[2:4]


def _raise_points(notebook):
    notebook.cells[2].metadata.nbgrader.points = 1000


def _make_a_test_an_answer(notebook):
    notebook.cells[2].metadata.nbgrader.update(grade=False, solution=True, locked=False)


def _make_tests_text(notebook):
    nbformat.NotebookNode.update(notebook.cells[2], cell_type="markdown")
    del notebook.cells[2]["outputs"], notebook.cells[2]["execution_count"]


def _skip_tests(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]


def _swap_ids(notebook):
    one, two = notebook.cells[1].metadata.nbgrader, notebook.cells[2].metadata.nbgrader
    one.grade_id, two.grade_id = two.grade_id, one.grade_id


def _duplicate_tests(notebook):
    for _ in range(5):
        notebook.cells.append(nbformat.from_dict({**notebook.cells[2], "source": "assert True"}))


def _add_graded_cells(notebook):
    marks = {"grade": True, "grade_id": "bonus", "locked": True, "points": 50, "schema_version": 3, "solution": False}
    notebook.cells.append(new_code_cell("assert True", metadata={"nbgrader": {**marks, "task": False}}))


def _forge_results(notebook):
    result = {"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}, "execution_count": 1}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(result)]


def _other_schema(notebook):
    for cell, version in zip(notebook.cells, (99, 0, 1, 2, "3", None, -1), strict=True):
        cell.metadata["nbgrader"]["schema_version"] = version


HOSTILE = {
    _replace_tests: ["The text of the locked cell 'test_double' was not the assignment's; it was put back."],
    _delete_tests: ["The test cell 'test_double' was missing; it was added back as it was released."],
    _raise_points: ["What nbgrader says of the cell 'test_double' was changed (points); it was put back."],
    _make_a_test_an_answer: [
        "What nbgrader says of the cell 'test_double' was changed (grade, solution, locked); it was put back."
    ],
    _make_tests_text: ["The cell 'test_double' had the type markdown; it is code again."],
    _skip_tests: ["The cell 'test_double' was tagged skip-execution; it is run."],
    _swap_ids: ["The text of the locked cell 'test_double' was not the assignment's; it was put back."],
    _duplicate_tests: [],
    _add_graded_cells: [
        "Cell 8 of the submission was marked as graded, under the id 'bonus', which the assignment does not have; "
        "it is a plain cell."
    ],
    _forge_results: [],
    _other_schema: [],
}


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.__name__.strip("_"))
def test_no_change_of_metadata_reaches_the_tests(steps, attack):
    honest, notebook = steps.stages(steps.read()), steps.read()
    attack(notebook)
    after, repairs = steps.sanitized(notebook)
    assert RELEASED.marked_cells(after) == honest[-1]
    assert steps.stages(notebook) == honest
    assert set(HOSTILE[attack]) <= set(repairs)
    assert bool(repairs) == bool(HOSTILE[attack])
    assert sum(determine_grade(cell)[1] for cell in after.cells if is_grade(cell)) == 6


def test_a_deleted_answer_comes_back_without_its_solution_and_above_what_replaces_it(steps):
    notebook = steps.read()
    notebook.cells[1] = new_code_cell("def double(value):\n    return 2 * value")
    after, repairs = steps.sanitized(notebook)
    assert RELEASED.names(after)[:4] == ["title", "double", "def double(value):\n    return 2 * value", "test_double"]
    assert "raise NotImplementedError()" in after.cells[1].source
    assert "value + value" not in after.cells[1].source
    assert repairs == ["The answer cell 'double' was missing; it was added back as it was released."]
