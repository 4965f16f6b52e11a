"""Running a student's own notebook in a fresh kernel, within limits of time; submissions are run by ``judged``."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import ClearOutput, Execute
from traitlets.config import Config

from llmcourse.grading.failures import SKIPPED

__all__ = ["CELL_TIMEOUT_S", "KernelLostError", "execute"]

CELL_TIMEOUT_S = 60
# A notebook may take this many times the limit of one cell, so that many slow cells do not add up to an hour.
_CELLS_IN_TIME = 5
# Without this, every kernel warns that others on the machine could listen.
_PRIVATE = Config({"KernelManager": {"transport_encryption": "auto"}})


class KernelLostError(RuntimeError):
    """The process that runs the notebook ended by itself, or can no longer be interrupted."""


class _Run(Execute):
    """nbgrader's preprocessor, which leaves out the cells for which ``skip`` returns a reason."""

    skip: Callable[[int], str | None]

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run a cell, or say in it why it is not run.

        Args:
            cell: Of the notebook.
            resources: nbgrader's.
            index: Where it stands in the notebook.

        Returns:
            The cell with its outputs, and the resources.
        """
        reason = self.skip(index) if cell.cell_type == "code" else None
        if reason is None:
            return super().preprocess_cell(cell, resources, index)
        cell.outputs = [new_output("error", ename=SKIPPED, evalue=reason, traceback=[f"{SKIPPED}: {reason}"])]
        return cell, resources


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    timeout_s: float = CELL_TIMEOUT_S,
    on_cell: Callable[[int], None] | None = None,
    skip: Callable[[int], str | None] | None = None,
) -> None:
    """Run all cells of a notebook in a fresh kernel and store their outputs in it.

    A cell that fails does not stop the ones after it. A cell that takes too long is interrupted and fails with
    ``CellTimeoutError``, whose value tells the limit; the notebook as a whole may take five times as long as one cell,
    after which every further cell has a second.

    Args:
        notebook: Is changed in place.
        folder: The kernel's working folder, in which the notebook's files stand.
        timeout_s: Seconds for one cell.
        on_cell: Called with the index of each cell that is about to run.
        skip: Called with the index of each code cell when its turn has come, with the outputs of those before it in
            the notebook; a reason that it returns becomes the cell's error, and the cell is not run.

    Raises:
        KernelLostError: The kernel ended before the notebook did, or a cell goes on although it was interrupted.
    """
    current = 0
    deadline = time.monotonic() + _CELLS_IN_TIME * timeout_s

    def started(*, cell: NotebookNode, cell_index: int) -> None:
        nonlocal current
        current = cell_index
        if on_cell is not None:
            on_cell(cell_index)

    def limit(cell: NotebookNode) -> int:
        seconds = max(1, round(min(timeout_s, deadline - time.monotonic())))
        executor.error_on_timeout = {**executor.error_on_timeout, "evalue": f"after {seconds} s"}
        return seconds

    ClearOutput().preprocess(notebook, {})
    executor = _Run(config=_PRIVATE, timeout_func=limit, on_cell_start=started)
    executor.skip = skip or (lambda index: None)
    before = os.environ.get("NBGRADER_EXECUTION")
    os.environ["NBGRADER_EXECUTION"] = "validate"  # what `nbgrader validate` tells the notebook
    try:
        executor.preprocess(notebook, {"metadata": {"path": str(folder)}})
    except DeadKernelError as error:
        raise KernelLostError(
            f"the kernel died in cell {current + 1}: the code ran out of memory or ended the process"
        ) from error
    except CellTimeoutError as error:
        raise KernelLostError(
            f"cell {current + 1} ran out of time and could not be stopped: a loop in it catches every exception"
        ) from error
    finally:
        if before is None:
            del os.environ["NBGRADER_EXECUTION"]
        else:
            os.environ["NBGRADER_EXECUTION"] = before
