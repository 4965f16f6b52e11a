"""How far a student is, without running anything; tests/cli/test_check.py runs notebooks."""

import json

import nbformat
import pytest

from llmcourse.grading.check import progress


@pytest.fixture
def work(tmp_path, source):
    from nbgrader.utils import compute_checksum

    for cell in source.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    path = tmp_path / "steps.ipynb"
    nbformat.write(source, path)
    return path


def test_an_untouched_notebook_is_not_started(work):
    found = progress(work)
    assert found.functions == [("double", "not started"), ("mean", "not started")]
    assert (found.points, found.max_points) == (None, 6)


def test_a_changed_answer_is_changed_until_it_is_checked(work, source):
    source.cells[5].source += "\n# more"
    nbformat.write(source, work)
    assert progress(work).functions == [("double", "not started"), ("mean", "changed")]


@pytest.mark.parametrize("record", ["", "{}", json.dumps({"digest": "of another text", "results": []})])
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
