"""Running a notebook in a fresh kernel, with the rules that grading has."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearOutput, Execute
from traitlets.config import Config

__all__ = ["CELL_TIMEOUT_S", "KernelLostError", "execute"]

CELL_TIMEOUT_S = 60
# A notebook may take this many times the limit of one cell, so that many slow cells do not add up to an hour.
_CELLS_IN_TIME = 5
# Without this, every kernel warns that others on the machine could listen.
_PRIVATE = Config({"KernelManager": {"transport_encryption": "auto"}})


class KernelLostError(RuntimeError):
    """The process that runs the notebook ended by itself, or can no longer be interrupted."""


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    timeout_s: float = CELL_TIMEOUT_S,
    on_cell: Callable[[int], None] | None = None,
) -> None:
    """Run all cells of a notebook in a fresh kernel and store their outputs in it.

    A cell that fails does not stop the ones after it. A cell that takes too long is interrupted and fails with
    ``CellTimeoutError``; the notebook as a whole may take five times as long as one cell, after which every further
    cell has a second.

    Args:
        notebook: Is changed in place.
        folder: The kernel's working folder, in which the notebook's files stand.
        timeout_s: Seconds for one cell.
        on_cell: Called with the index of each cell that is about to run.

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
        return max(1, round(min(timeout_s, deadline - time.monotonic())))

    ClearOutput().preprocess(notebook, {})
    executor = Execute(config=_PRIVATE, timeout_func=limit, on_cell_start=started)
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
