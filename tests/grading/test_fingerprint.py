"""Which changes make the last result of a function old."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from llmcourse.grading.exercise import parts
from llmcourse.grading.fingerprint import fingerprints


@pytest.fixture
def exercise(source):
    """Return three functions, of which the last calls the second through a helper in a free cell."""
    first, second, third = (new_code_cell(f"def {name}(x):\n    return {body}") for name, body in FUNCTIONS)
    tests = [new_code_cell(f"assert {name}(1)") for name, _ in FUNCTIONS]
    for cells, marks in (([first, second, third], source.cells[1]), (tests, source.cells[6])):
        for number, cell in enumerate(cells):
            cell.metadata.nbgrader = {
                **marks.metadata.nbgrader,
                "grade_id": f"{marks.metadata.nbgrader.grade_id}{number}",
            }
    helper = new_code_cell("def help_out(x):\n    return two(x)")
    source.cells = [first, tests[0], second, tests[1], helper, third, tests[2], new_code_cell("three(2)")]
    return source


FUNCTIONS = (("one", "x"), ("two", "x"), ("three", "help_out(x)"))


def changed(exercise, change):
    """Return the names of the functions whose results are old after a change."""
    found = parts(exercise)
    before = dict(zip((part.name for part in found), fingerprints(exercise, found), strict=True))
    change(exercise.cells)
    found = parts(exercise)
    after = dict(zip((part.name for part in found), fingerprints(exercise, found), strict=True))
    return [name for name in after if after[name] != before[name]]


def append(index, text):
    def change(cells):
        cells[index].source += text

    return change


@pytest.mark.parametrize(
    ("index", "names"),
    [
        (0, ["one"]),
        (1, ["one"]),
        (2, ["two", "three"]),  # through the helper
        (4, ["three"]),  # the free cell stands below the tests of the others
        (5, ["three"]),
        (6, ["three"]),
        (7, []),  # below all tests
    ],
)
def test_a_change_makes_old_what_depends_on_it(exercise, index, names):
    assert changed(exercise, append(index, "\n# more")) == names


def test_a_free_cell_above_counts_whatever_it_does(exercise):
    assert changed(exercise, lambda cells: cells.insert(0, new_code_cell("print(1)"))) == ["one", "two", "three"]


def test_text_outputs_and_empty_cells_do_not_count(exercise):
    def change(cells):
        cells.insert(0, new_markdown_cell("a note"))
        cells.insert(0, new_code_cell(""))
        cells[2].execution_count = 9

    assert changed(exercise, change) == []


def test_code_that_is_no_python_is_no_obstacle(exercise):
    assert changed(exercise, append(2, "\ndef two(x:")) == ["two", "three"]
    assert changed(exercise, append(4, "\n%timeit 1\n!ls")) == ["three"]


def test_functions_that_call_each_other_end(exercise):
    exercise.cells[0].source = "def one(x):\n    return three(x)"
    assert changed(exercise, append(5, "\n# more")) == ["three"]
