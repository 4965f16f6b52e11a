"""Running a submission: the student's cells in a sandboxed kernel, the instructor's in a judge.

A subclass of nbgrader's ``Execute`` that stands in its place among ``Autograde.autograde_preprocessors``, so that
``nbgrader autograde``, formgrader and ``llmcourse grade`` run submissions alike. Student's cells go to a kernel that
:mod:`llmcourse.grading.zygote` forks. When a test cell comes, the judge first runs what stands before it in the
*instructor's* notebook (imports and helpers), takes note of the names that the instructor's solutions define, and then
runs the test, in which those names are the student's objects. Only the judge writes outputs of test cells. Locked cells
that are no tests run in both.

What it covers: nothing that a submission does in its own process can write an output of a test cell, read a hidden
test, or reach the grader's files. A submission that ends its process, or is ended at a limit, keeps what its earlier
tests gave; each later cell says why it has none. What it does not: a test whose own code trusts what it must not (see
:mod:`llmcourse.grading.border`), kernels other than Python's.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import zmq
from nbclient.exceptions import DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_locked, is_solution
from traitlets import Bool, Dict, List, Unicode
from traitlets.config import Config

from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.judging import JudgeProcess
from llmcourse.grading.kernel_files import packed_files
from llmcourse.grading.kernel_manager import GradedKernelManager
from llmcourse.grading.limits import SubmissionLimits
from llmcourse.grading.outputs import inert_content
from llmcourse.grading.script import Script, imported_by
from llmcourse.grading.zygote import serving

__all__ = ["JudgedExecute", "servers_for"]

_ANSWERS_S = 2
# Messages that a notebook's outputs are made of; others (widgets' above all) are not taken from a student's kernel.
_OUTPUTS = ("stream", "error", "execute_result", "display_data")
_SIGNS = ("status", "clear_output")
# Of an instructor's notebook, by its cells' text: the functions of the solution that change their arguments in place.
_mutating_of: dict[str, frozenset[str]] = {}


class JudgedExecute(Execute):
    """Run a submission in a sandbox, and its tests in a judge."""

    limits = Dict(help="What a submission may use; see llmcourse.grading.limits").tag(config=True)
    preload = List(
        Unicode(),
        ["matplotlib.pyplot", "numpy", "regex", "scipy", "torch"],
        help="Modules that are imported once for all submissions, where the assignment imports them; none of these may "
        "start a thread",
    ).tag(config=True)
    accept_unisolated = Bool(
        False,
        help="Run submissions with limits alone on a machine without bubblewrap: they can read and write what you can",
    ).tag(config=True)

    km: Any
    kc: Any

    def __init__(self, **kwargs: Any) -> None:
        kwargs["kernel_manager_class"] = GradedKernelManager
        super().__init__(**kwargs)
        self.raise_on_iopub_timeout = False  # it would fail the submission, where a cell says too little
        self.store_widget_state = False

    def preprocess(self, nb: NotebookNode, resources: Any = None, km: Any = None) -> tuple[NotebookNode, Any]:
        """Run a notebook.

        Args:
            nb: A submission, on the assignment's own cells (:class:`llmcourse.grading.sanitize.Sanitize`).
            resources: nbgrader's: what the submission is, and its folder.
            km: Ignored; the kernel is forked.

        Returns:
            The notebook with outputs, and the resources.
        """
        source = self._source(resources["nbgrader"])
        return self._run(nb, resources, source, self._may_mutate(source, resources))

    def prove(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, frozenset[str]]:
        """Run the instructor's own notebook.

        Args:
            nb: With its solutions.
            resources: As of :meth:`preprocess`.

        Returns:
            The notebook with outputs, and the functions of the solution that change their arguments in place.
        """
        return self._run(nb, resources, deepcopy(nb), None)[0], frozenset(self._mutating)

    def warm_modules(self, sources: Iterable[NotebookNode]) -> list[str]:
        """Return which of ``preload`` some notebooks of the instructor's import.

        Args:
            sources: The notebooks.

        Returns:
            Names of modules, in their order.
        """
        imported = imported_by(sources)
        return [name for name in self.preload if name in imported or name.partition(".")[0] in imported]

    def _may_mutate(self, source: NotebookNode, resources: Any) -> frozenset[str]:
        """Return the functions that may change their arguments, since the solution's do; found out once."""
        text = "\0".join(cell.source for cell in source.cells)
        if text not in _mutating_of:
            prover = JudgedExecute(parent=self.parent, config=self.config)
            _mutating_of[text] = prover.prove(deepcopy(source), resources)[1]
        return _mutating_of[text]

    def _run(
        self, nb: NotebookNode, resources: Any, source: NotebookNode, may_mutate: frozenset[str] | None
    ) -> tuple[NotebookNode, Any]:
        own = source.metadata.get("llmcourse", {})
        self._allowed = SubmissionLimits.of(self.limits, own.get("limits", {}))
        self._script = Script(source)
        self._remarks: list[str] = []
        self._mutating: set[str] = set()
        self._dead, self._serving = "", False
        self.timeout = max(1, round(self._allowed.cell_s))
        seed = int(os.environ.get("LLMCOURSE_GRADING_SEED") or secrets.randbits(32))
        self._warm = self.warm_modules([source])
        for role in ("kernel", "judge"):  # both begin to import at once
            serving.start(role, self._warm, accept_unisolated=self.accept_unisolated)
        with contextlib.ExitStack() as stack:
            self._border, judges = socket.socketpair()
            stack.enter_context(self._border)
            self._files = stack.enter_context(packed_files(resources.get("metadata", {}).get("path")))
            self._judge = JudgeProcess(
                partial(serving.fork, "judge", self._warm, accept_unisolated=self.accept_unisolated),
                judges,
                self._allowed,
                interrupt=self._interrupt,
                seed=seed,
                may_mutate=may_mutate,
            )
            stack.callback(self._judge.close)
            nb, resources = super().preprocess(nb, resources)
            self._mutating |= self._judge.mutating
        self._close(nb, seed)
        return nb, resources

    def _source(self, submission: dict[str, str]) -> NotebookNode:
        course = CourseDirectory(parent=self)
        folder = Path(course.format_path(course.source_directory, ".", submission["assignment"]))
        path = folder / f"{submission['notebook']}.ipynb"
        return _read(path, path.stat().st_mtime_ns)

    def _close(self, nb: NotebookNode, seed: int) -> None:
        if self._judge.lost:
            self._remarks.append(f"the tests could not be finished: {self._judge.lost}")
        own = nb.metadata.setdefault("llmcourse", {})
        own.update({"remarks": self._remarks, "seed": seed})

    # The kernel.

    def create_kernel_manager(self) -> Any:
        """Return the manager of a kernel that is forked with the submission's limits and files.

        Returns:
            The manager.
        """
        self.km = GradedKernelManager(
            settings={
                "preload": self._warm,
                "limits": self._allowed.of_process().as_dict(),
                "accept_unisolated": self.accept_unisolated,
                "border": self._border.fileno(),
                "files": self._files,
            }
        )
        return self.km

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel, and leave it the only one to hold its end of the border: the judge then sees it die."""
        await super().async_start_new_kernel(**kwargs)
        self._border.close()

    start_new_kernel = run_sync(async_start_new_kernel)

    def _interrupt(self) -> None:
        run_sync(self.km.signal_kernel)(signal.SIGINT)

    async def _async_cleanup_kernel(self) -> None:
        """Kill the kernel: a student's may not want to end when it is asked."""
        if self.km is not None:
            await self._end_kernel()
            await self.km.cleanup_resources()
        if self.kc is not None:
            self.kc.stop_channels()
            self.kc = None

    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    async def _end_kernel(self, why: str = "") -> None:
        """Kill the kernel; the first reason for its end that is known is told."""
        limit = self._allowed.describe(await self.km.end())
        if not self._dead and (limit or why):
            self._dead = limit or why
            self._remarks.append(self._dead)

    # The cells.

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run a cell where it belongs.

        Args:
            cell: Of the submission.
            resources: nbgrader's.
            index: Where it stands in the notebook.

        Returns:
            The cell with its outputs, and the resources.
        """
        if cell.cell_type != "code":
            return cell, resources
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if not is_locked(cell) or not is_grade(cell):
            self._run_student(cell, index)  # a locked one brings imports and helpers, which both sides need
        if is_locked(cell) and not is_solution(cell):
            self._run_test(cell, grade_id)
        return cell, resources

    def _run_student(self, cell: NotebookNode, index: int) -> None:
        """Run a cell in the student's kernel, within its limits; what goes wrong is an output of it."""
        self._room = self._allowed.output_bytes
        cell.outputs = []
        if self._serving:
            self._judge.leave()
            self._serving = False
        if not self._dead:
            try:
                self.execute_cell(cell, index, store_history=True)
                if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
                    self._after_timeout()
            except (DeadKernelError, zmq.Again):
                run_sync(self._end_kernel)("the process that ran the code has ended, by itself or for want of memory")
        if self._dead and cell.source.strip():
            cell.outputs.append(_error("LimitExceeded", f"this did not run to its end: {self._dead}"))

    def _after_timeout(self) -> None:
        """Make sure that the kernel has stopped; one that catches the interrupt is killed."""

        async def answers() -> bool:
            until = asyncio.get_running_loop().time() + _ANSWERS_S
            with contextlib.suppress(Exception):  # it takes no question, or gives no answer that is one
                wanted = self.kc.kernel_info()
                while (left := until - asyncio.get_running_loop().time()) > 0:
                    reply = await self.kc.shell_channel.get_msg(timeout=left)
                    if reply["parent_header"].get("msg_id") == wanted:
                        return True
            return False

        if not run_sync(answers)():
            run_sync(self._end_kernel)(f"a cell ran longer than {self._allowed.cell_s:g} s and could not be stopped")

    def _run_test(self, cell: NotebookNode, grade_id: str) -> None:
        for solution, source, name in self._script.until(grade_id):
            if solution:
                self._judge.define(source)
            else:
                self._serve()
                self._judge.run(source, name)
        self._serve()
        cell.outputs = self._judge.run(cell.source, grade_id, graded=is_grade(cell))

    def _serve(self) -> None:
        """Have the student's kernel answer the judge, until the next of the student's cells is to run."""

        async def send() -> None:
            self.kc.shell_channel.send(self.kc.session.msg("serve_border", {}))

        if not self._dead and not self._serving:
            self._serving = True
            try:
                run_sync(send)()
            except zmq.Again:
                run_sync(self._end_kernel)("the process that ran the code was cut off, since it sent too much")

    def process_message(self, msg: Any, cell: NotebookNode, cell_index: int) -> Any:
        """Take in what a student's kernel sends, as far as it is an output that cannot hurt.

        Args:
            msg: From the kernel.
            cell: The cell that runs.
            cell_index: Where it stands.

        Returns:
            The output, if it is one.
        """
        kind = msg.get("msg_type")
        if kind in _SIGNS:
            return super().process_message(msg, cell, cell_index)
        if kind not in _OUTPUTS or self._room <= 0:
            return None
        content = inert_content(kind, msg.get("content"), self._room)
        if content is None:
            return None
        self._room -= len(str(content))
        if self._room <= 0:
            self._remarks.append(f"outputs beyond {self._allowed.output_bytes:,} bytes were cut")
        return super().process_message({**msg, "content": content}, cell, cell_index)


@contextlib.contextmanager
def servers_for(config: Config, solutions: Path, assignments: Iterable[str]) -> Iterator[None]:
    """Run servers for all workers of this machine, where the configuration has submissions judged.

    Args:
        config: The course's.
        solutions: The folder of the instructor's notebooks.
        assignments: Whose modules the servers import.

    Yields:
        Nothing.

    Raises:
        NotIsolatedError: There is no working sandbox, and running without was not accepted.
    """
    execute = JudgedExecute(config=config)
    if JudgedExecute not in config.Autograde.get("autograde_preprocessors", ()):
        yield
        return
    paths = [path for name in assignments for path in sorted((solutions / name).glob("*.ipynb"))]
    modules = execute.warm_modules([read_notebook(path) for path in paths])
    with serving.shared_servers(modules, accept_unisolated=execute.accept_unisolated):
        yield


@lru_cache(maxsize=32)
def _read(path: Path, modified_ns: int) -> NotebookNode:
    """Read a notebook once per version of it; nobody changes what is returned."""
    return read_notebook(path)


def _error(name: str, reason: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=reason, traceback=[f"{name}: {reason}"])
