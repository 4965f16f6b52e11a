"""A student's own check and what is remembered of it; tests/cli/test_check.py checks whole notebooks."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from llmcourse.grading.check import check_notebook, progress

LOOP = "def double(value):\n    while True:\n        pass\n"
CALLS = "def mean(values):\n    return double(sum(values)) / 2 / len(values)\n"


@pytest.fixture
def work(tmp_path, source):
    from nbgrader.utils import compute_checksum

    for cell in source.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    path = tmp_path / "steps.ipynb"
    nbformat.write(source, path)
    return path


def states(path):
    return [(item.name, item.state) for item in progress(path).functions]


def test_an_untouched_notebook_is_not_started(work):
    assert states(work) == [("double", "not started"), ("mean", "not started")]
    assert (progress(work).points, progress(work).old_points, progress(work).max_points) == (None, 0, 6)


def test_a_changed_answer_is_changed_until_it_is_checked(work, source):
    source.cells[5].source += "\n# more"
    nbformat.write(source, work)
    assert states(work) == [("double", "not started"), ("mean", "changed")]
    assert progress(work).points is None


def test_a_change_makes_old_what_calls_it_and_keeps_the_points(work, source):
    source.cells[1].source += "\n# more"
    source.cells[5].source = CALLS
    source.cells[6].source = "assert mean([1, 3]) == 2"  # without its hidden test
    nbformat.write(source, work)
    check_notebook(work, timeout_s=30)
    assert states(work) == [("double", "done"), ("mean", "done")]
    source.cells[5].source += "# again"
    nbformat.write(source, work)
    assert states(work) == [("double", "done"), ("mean", "changed")]
    assert (progress(work).points, progress(work).old_points) == (6, 3)
    source.cells[1].source += "\n# and again"
    nbformat.write(source, work)
    assert states(work) == [("double", "changed"), ("mean", "changed")]
    assert (progress(work).points, progress(work).old_points) == (6, 6)


def test_progress_is_told_as_it_is_made_and_a_time_out_ends_a_function(work, source):
    source.cells[1].source = LOOP
    source.cells.insert(4, new_code_cell("'my own'"))
    source.cells.append(new_code_cell("double(1)"))
    nbformat.write(source, work)
    told = []
    checked = check_notebook(
        work,
        timeout_s=1,
        on_cell=told.append,
        on_result=lambda result, seconds: told.append((result.name, result.state, seconds >= 1)),
    )
    # one test of double ran, and the last cell, which would loop as well, did not
    assert told == ["double", "double", ("double", "failing", True), "", "mean", "mean", ("mean", "done", False)]
    stopped, left = checked.results[0].messages
    assert stopped.startswith("it ran out of time after 1 s and was stopped in line ")
    assert left == "the rest of its tests were not run, since one before them ran out of time"


@pytest.mark.parametrize(
    "record", ["", "{}", "[]", json.dumps({"functions": {"double": {}}}), json.dumps({"functions": {"double": 3}})]
)
def test_a_record_that_does_not_fit_is_ignored(work, record):
    (work.parent / ".llmcourse").mkdir()
    (work.parent / ".llmcourse" / "steps.json").write_text(record)
    assert progress(work).points is None


def test_no_exercise_is_an_error(tmp_path):
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "plain.ipynb")
    with pytest.raises(ValueError, match="holds no tests of this course"):
        progress(tmp_path / "plain.ipynb")
    with pytest.raises(ValueError, match="there is no file"):
        progress(tmp_path / "absent.ipynb")
