"""Why grading failed, read from nbgrader's log; tests/cli/test_grade.py grades real submissions."""

import pytest

from llmcourse.grading.autograde import _reason


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "Converting\nTraceback (most recent call last):\nnbclient.exceptions.DeadKernelError: Kernel died\n"
            "There was an error processing assignment 'a'\nNbGraderException: Please see the error log",
            "the kernel died: the code ran out of memory, or ended the process",
        ),
        ("KeyError: 'points'\nNbGraderException: x", "nbgrader could not grade it: KeyError: 'points'"),
        ("nothing that looks like an exception", "nbgrader could not grade it: nothing that looks like an exception"),
        ("", "nbgrader could not grade it: "),
    ],
)
def test_the_reason_is_the_exception_behind_the_last_one(log, reason):
    assert _reason(log) == reason
