"""Running notebooks: outputs, limits, and what is left behind."""

import os
import time

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from llmcourse.grading.execution import KernelLostError, execute


def notebook(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def test_a_run_replaces_outputs_and_goes_on_after_errors(tmp_path, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    (tmp_path / "data.txt").write_text("beside")
    run = notebook("1 / 0", "open('data.txt').read()", "import os; os.environ['NBGRADER_EXECUTION']")
    run.cells[1].outputs = [new_output("stream", text="old")]
    seen = []
    execute(run, tmp_path, on_cell=seen.append)
    assert run.cells[0].outputs[0].ename == "ZeroDivisionError"
    assert [output.data["text/plain"] for output in run.cells[1].outputs] == ["'beside'"]
    assert run.cells[2].outputs[0].data["text/plain"] == "'validate'"
    assert seen == [0, 1, 2]
    assert "NBGRADER_EXECUTION" not in os.environ


def test_many_slow_cells_share_a_limit(tmp_path):
    began = time.monotonic()
    run = notebook(*["import time; time.sleep(60)"] * 3, "'after'")
    execute(run, tmp_path, timeout_s=1)
    assert time.monotonic() - began < 30
    assert [cell.outputs[-1].get("ename") for cell in run.cells] == ["CellTimeoutError"] * 3 + [None]
    assert run.cells[0].outputs[-1].evalue == "after 1 s"


def test_a_cell_is_skipped_for_a_reason_that_may_depend_on_those_before_it(tmp_path):
    run = notebook("1 / 0", "2", "3")
    execute(run, tmp_path, skip=lambda index: "as the first fails" if index == 1 and run.cells[0].outputs else None)
    assert [(output.ename, output.evalue) for output in run.cells[1].outputs] == [
        ("CellSkippedError", "as the first fails")
    ]
    assert run.cells[2].outputs[0].data["text/plain"] == "3"


def test_a_cell_that_cannot_be_stopped_is_given_up(tmp_path):
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass"
    with pytest.raises(KernelLostError, match="cell 2 ran out of time and could not be stopped"):
        execute(notebook("1", stubborn, "2"), tmp_path, timeout_s=1)


def test_a_dead_kernel_is_told_with_its_cell(tmp_path):
    with pytest.raises(KernelLostError, match="died in cell 2"):
        execute(notebook("1", "import os; os._exit(1)", "2"), tmp_path)
