"""The grader's end of a judge: has it run cells, passes its interrupts on, and ends it when a test hangs."""

import socket
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from nbformat import NotebookNode
from nbformat.v4 import new_output

from llmcourse.grading.border.limits import BorderError, Limits
from llmcourse.grading.border.wire import SocketChannel, read_frame, write_frame
from llmcourse.grading.limits import SubmissionLimits
from llmcourse.grading.outputs import writable
from llmcourse.grading.zygote.client import Forked
from llmcourse.sandbox import Limits as ProcessLimits

__all__ = ["JudgeProcess"]

# What a test's own code may take beside the student's.
_OWN_S: Final = 60
_OUTPUTS: Final = Limits(header_bytes=64 << 20, elements=10_000_000)


class JudgeProcess:
    """A judge for one submission.

    Args:
        fork: Asks a server of judges for one, of a request and descriptors.
        border: The judge's end of a socket to the student's kernel; closed here.
        limits: Of the submission.
        interrupt: Interrupts the student's kernel.
        seed: From which tests draw their inputs, in ``LLMCOURSE_GRADING_SEED``.
        may_mutate: The functions that may change their arguments in place; None for all.
    """

    def __init__(
        self,
        fork: Callable[[dict[str, Any], dict[str, int]], Forked],
        border: socket.socket,
        limits: SubmissionLimits,
        *,
        interrupt: Callable[[], None],
        seed: int,
        may_mutate: Collection[str] | None = None,
    ) -> None:
        ours, theirs = socket.socketpair()
        wall_s = limits.total_s + _OWN_S
        request = {
            "limits": ProcessLimits(
                wall_s=wall_s, cpu_s=wall_s, memory_bytes=limits.memory_bytes + (2 << 30)
            ).as_dict(),
            "border_limits": {"call_s": limits.cell_s, "output_chars": min(limits.output_bytes, 100_000)},
            "may_mutate": None if may_mutate is None else sorted(may_mutate),
            "environment": {"LLMCOURSE_GRADING_SEED": str(seed)},
            "processes_in_use": 0,
        }
        with border, theirs:
            descriptors = {"border": border.fileno(), "command": theirs.fileno()}
            self.process: Forked = fork(request, descriptors)
        self._command, self._socket = SocketChannel(ours), ours
        self._limits, self._interrupt = limits, interrupt
        self.lost = ""
        self.mutating: frozenset[str] = frozenset()

    def define(self, solution: str) -> None:
        """Tell the judge what a solution cell of the instructor's defines.

        Args:
            solution: The cell's source.
        """
        self._ask({"define": solution}, _OWN_S)

    def run(self, source: str, name: str, *, graded: bool = False) -> list[NotebookNode]:
        """Run a cell of the instructor's.

        Args:
            source: The cell's, hidden tests included.
            name: Its id.
            graded: Whether the value of its last line is points.

        Returns:
            Its outputs; those of an error, where the judge was lost.
        """
        asked = {"source": source, "name": name, "cell_s": self._limits.cell_s, "graded": graded}
        answer = self._ask(asked, self._limits.cell_s + _OWN_S)
        if answer is None:
            return [_lost(self.lost)]
        self.mutating = frozenset(answer["mutating"])
        return [NotebookNode(output) for output in writable(answer["outputs"])]

    def leave(self) -> None:
        """Let the student's kernel go on with its own cells."""
        self._ask({"leave": True}, _OWN_S)

    def _ask(self, asked: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        if self.lost:
            return None
        deadline = time.monotonic() + seconds
        try:
            write_frame(self._command, asked, [], deadline)
            while True:
                answer, _ = read_frame(self._command, _OUTPUTS, deadline)
                if "interrupt" not in answer:
                    return answer
                self._interrupt()
        except TimeoutError:
            self.lost = f"the test did not end within {seconds:g} s, and was stopped"
        except (EOFError, OSError, BorderError) as error:
            self.lost = f"the process that runs the tests has ended: {error or 'it was killed'}"
        self.close()
        return None

    def close(self) -> None:
        """End it."""
        self.process.close()
        self._socket.close()


def _lost(reason: str) -> NotebookNode:
    return new_output("error", ename="JudgeLostError", evalue=reason, traceback=[f"JudgeLostError: {reason}"])
