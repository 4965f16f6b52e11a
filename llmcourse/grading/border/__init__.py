"""The border between the judge, in which tests run, and the student's process, which may send anything.

A test cell runs in the judge. The names that the instructor's solution defines stand there for the student's objects:
``judge_side`` binds them, ``student_side`` answers for them, ``endpoint`` is what both have in common. Calls cross as
frames (``wire``) of values (``values``, ``arrays``, ``records``, ``exceptions``, joined in ``codec``); what cannot
cross stays behind as a numbered object (``handles``, ``proxies``, ``modules``). Leaf tensors are mirrored (``shared``),
gradients are asked for (``autograd``), changes in place are repeated (``changes``). ``cells`` runs a cell,
``solution_names`` reads which names are the student's.

What it covers: whatever the student's process sends is a value of a built-in type, of numpy's, torch's or the judge's
own classes, within limits, or a ``BorderError``; objects that stay behind cannot pass for values; nothing of a test but
the arguments of its calls reaches the student's process; nothing that arrives is unpickled or evaluated.

What it does not cover: a test that trusts the student's own ``__eq__`` of a class that the solution defines with one;
a function that changes its arguments so that a wrong result fits them, unless ``may_mutate`` is set; what a test's own
code computes from a student's numbers (``torch.zeros(n)``); views: a tensor's values cross, its aliases do not; lists
and dicts read from an object are copies; changes to the structure of a module that the test passed in; gradients of
gradients; classes derived from the student's; a time limit on the test's own code.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmcourse.grading.border.cells import CellRun, run_test_cell
    from llmcourse.grading.border.judge_side import Judge
    from llmcourse.grading.border.limits import BorderError, Limits, StudentError, StudentExit
    from llmcourse.grading.border.solution_names import SolutionName, names_of
    from llmcourse.grading.border.student_side import Agent, serve
    from llmcourse.grading.border.wire import Channel, SocketChannel

__all__ = [
    "Agent",
    "BorderError",
    "CellRun",
    "Channel",
    "Judge",
    "Limits",
    "SocketChannel",
    "SolutionName",
    "StudentError",
    "StudentExit",
    "names_of",
    "run_test_cell",
    "serve",
]

_HOME = {
    "cells": ("CellRun", "run_test_cell"),
    "judge_side": ("Judge",),
    "limits": ("BorderError", "Limits", "StudentError", "StudentExit"),
    "solution_names": ("SolutionName", "names_of"),
    "student_side": ("Agent", "serve"),
    "wire": ("Channel", "SocketChannel"),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: a student's process needs neither the judge nor nbformat."""
    for module, names in _HOME.items():
        if name in names:
            globals()[name] = value = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
