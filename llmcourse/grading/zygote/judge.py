"""A forked judge: runs the instructor's cells against a student's objects, and sends back outputs.

It has two sockets: ``border`` to the student's kernel, of which it believes nothing, and ``command`` to the grader, of
whose cells it runs each when it is told to. Its frames are the border's: JSON, never pickle, since what a student's
values did to this process is not known for certain.
"""

import importlib
import os
import socket
import sys
from typing import Any

from nbformat.v4 import new_output

from llmcourse.grading.border import Judge, Limits, SocketChannel, names_of, run_test_cell
from llmcourse.grading.border.wire import read_frame, write_frame

__all__ = ["COMMAND_LIMITS", "run", "warm_up"]

# A cell's source and outputs are larger than what a student's answer may be made of.
COMMAND_LIMITS = Limits(header_bytes=64 << 20, elements=10_000_000)


def warm_up() -> None:
    """Do once what the first tests of each submission would: nbformat and PyTorch build what checks when first used."""
    new_output("stream", name="stdout", text="")
    if (torch := sys.modules.get("torch")) is not None:
        importlib.import_module("torch.testing")
        torch.testing.assert_close(torch.ones(2, 2) @ torch.ones(2, 2), torch.full((2, 2), 2.0))


def run(request: dict[str, Any], descriptors: dict[str, int]) -> None:
    """Run cells until the grader has no more.

    Args:
        request: With the border's ``border_limits`` and ``may_mutate``, a list of functions or None for all.
        descriptors: ``border`` and ``command``.
    """
    command = SocketChannel(socket.socket(fileno=descriptors["command"]))
    border = SocketChannel(socket.socket(fileno=descriptors["border"]))
    may_mutate = request["may_mutate"]
    judge = Judge(
        border,
        Limits(**request["border_limits"]),
        interrupt=lambda: write_frame(command, {"interrupt": True}, [], None),
        may_mutate=None if may_mutate is None else frozenset(may_mutate),
    )
    while True:
        try:
            asked, _ = read_frame(command, COMMAND_LIMITS, None)
        except EOFError:
            os._exit(0)
        write_frame(command, _obey(judge, asked), [], None)


def _obey(judge: Judge, asked: dict[str, Any]) -> dict[str, Any]:
    if "define" in asked:
        judge.define(names_of(asked["define"], judge.solution))
        return {"done": True}
    if "leave" in asked:
        judge.leave()
        return {"done": True}
    found = run_test_cell(judge, asked["source"], name=asked["name"], cell_s=asked["cell_s"], graded=asked["graded"])
    return {
        "outputs": found.outputs,
        "taken_s": found.taken_s,
        "mutating": sorted(judge.mutating),
        "broken": judge.broken,
    }
