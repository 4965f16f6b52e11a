"""What a student is told of a failure: from outputs as kernels write them, and from a real kernel's tracebacks."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from llmcourse.grading.execution import execute
from llmcourse.grading.exercise import results


def error(name, value="", traceback=()):
    return new_output("error", ename=name, evalue=value, traceback=list(traceback))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (error("NotImplementedError"), "not written yet"),
        (error("ValueError", "three"), "ValueError: three"),
        (error("MemoryError"), "MemoryError"),
        (error("CellTimeoutError"), "it ran out of time and was stopped: look for a loop that never ends"),
        (
            error("CellTimeoutError", "after 30 s"),
            "it ran out of time after 30 s and was stopped: look for a loop that never ends",
        ),
        (error("CellSkippedError", "not run, for a reason"), "not run, for a reason"),
        (
            error("AssertionError", "", ["\x1b[31mAssertionError\x1b[0m", "\x1b[32m----> 1\x1b[0m assert f(1) == 2"]),
            "a check fails: assert f(1) == 2",
        ),
        (error("AssertionError", "", ["AssertionError", "--> 3 assert f(1) == 2"]), "a check fails: assert f(1) == 2"),
        (
            new_output("stream", name="stderr", text="first\nUserWarning: x\n"),
            "the code writes to stderr, which counts as a failure: UserWarning: x",
        ),
        (
            new_output("stream", name="stderr", text="\n"),
            "the code writes to stderr, which counts as a failure: white space",
        ),
    ],
)
def test_a_failure_is_told_in_words(source, output, message):
    source.cells[6].outputs = [output]
    result = results(source)[1]
    assert (result.points, result.messages) == (0, (message,))


def test_the_interrupt_of_a_cell_out_of_time_is_not_told_twice(source):
    source.cells[6].outputs = [error("KeyboardInterrupt"), error("CellTimeoutError")]
    assert len(results(source)[1].messages) == 1


def test_an_answer_that_fails_explains_its_tests(source):
    source.cells[5].outputs = [error("SyntaxError", "expected ':' (4137.py, line 1)")]
    source.cells[6].outputs = [error("NameError", "name 'mean' is not defined")]
    assert results(source)[1].messages == ("the cell with your answer fails: SyntaxError: expected ':' (line 1)",)


# Each function with its answer and its test; a name without one is a cell of the student's own.
STUDENT = {
    "good": ("def good(x):\n    return x + 1", "assert good(1) == 2"),
    "crash": ("\n\ndef crash(x):\n    return [\n        y.twice for y in x]", "crash([1])\n"),
    "uses_crash": ("def uses_crash(x):\n    return sorted(x, key=lambda y: crash([y]))", "uses_crash([2])"),
    "unwritten": ("def unwritten(x):\n    raise NotImplementedError()", "unwritten(1)"),
    "uses_unwritten": ("def uses_unwritten(x):\n    return unwritten(x)", "uses_unwritten(1)"),
    "tested_with_unwritten": ("def tested_with_unwritten(x):\n    return x", "tested_with_unwritten(unwritten(1))"),
    "no_python": ("def no_python(x)\n    return x", "no_python(1)"),
    "uses_no_python": ("def uses_no_python(x):\n    return no_python(x)", "uses_no_python(1)"),
    "misuses_good": ("def misuses_good(x):\n    return good(None)", "misuses_good(1)"),
    "": ("def helper(x):\n    return x / nothing", ""),
    "uses_helper": ("def uses_helper(x):\n    return helper(x)", "uses_helper(1)"),
    "asserts": ("def asserts(x):\n    assert x is None, 'odd'", "asserts(1)"),
    "chains": (
        "def chains(x):\n    try:\n        good(None)\n    except TypeError as e:\n        raise OSError('x') from e",
        "chains(1)",
    ),
    "loops": ("def loops(x):\n    while x: pass", "loops(1)"),
    "uses_loops": ("def uses_loops(x):\n    return loops(x)", "uses_loops(1)"),
    "loops_round_good": ("def loops_round_good(x):\n    while good(x): pass", "loops_round_good(1)"),
}


def graded(source, grade_id, *, points=None):
    test = points is not None
    marks = {"grade_id": grade_id, "grade": test, "locked": test, "solution": not test, "schema_version": 3}
    return new_code_cell(source, metadata={"nbgrader": {**marks, "points": points}})


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return what is told of each function, after one run of them all."""
    cells = []
    for name, (answer, test) in STUDENT.items():
        cells += [graded(answer, name), graded(test, f"test_{name}", points=1)] if name else [new_code_cell(answer)]
        if name == "crash":
            cells.append(graded("crash([b''])", "another", points=1))
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    execute(notebook, tmp_path_factory.mktemp("failures"), timeout_s=1)
    return {result.name: result.messages for result in results(notebook)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        # once for its two tests, whose values differ; the line is counted as the notebook shows it
        ("crash", "AttributeError: 'int' object has no attribute 'twice', in line 5, `y.twice for y in x]`"),
        (
            "uses_crash",
            "uses_crash calls crash, which fails: mend that first (AttributeError in line 5, `y.twice for y in x]`)",
        ),
        ("unwritten", "not written yet"),
        ("uses_unwritten", "uses_unwritten calls unwritten, which is not written yet"),
        ("tested_with_unwritten", "a test of tested_with_unwritten calls unwritten, which is not written yet"),
        ("no_python", "the cell with your answer fails: SyntaxError: expected ':' (line 1)"),
        ("uses_no_python", "uses_no_python calls no_python, whose cell fails: mend that first"),
        (
            "misuses_good",
            "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int', in line 2, `return good(None)` "
            "(good passes its own tests: look at what it is given)",
        ),
        ("uses_helper", "NameError: name 'nothing' is not defined, in line 2, `return x / nothing`"),
        ("asserts", "odd, in line 2, `assert x is None, 'odd'`"),
        ("chains", "OSError: x, in line 5, `raise OSError('x') from e`"),
        (
            "loops",
            "it ran out of time after 1 s and was stopped in line 2, `while x: pass`: look for a loop that never ends",
        ),
        (
            "uses_loops",
            "uses_loops calls loops, which fails: mend that first "
            "(it ran out of time after 1 s in line 2, `while x: pass`)",
        ),
        (
            "loops_round_good",
            "it ran out of time after 1 s and was stopped in line 2, `while good(x): pass`: "
            "look for a loop that never ends",
        ),
    ],
)
def test_a_failure_is_told_with_its_line_and_its_cause(told, name, message):
    assert told[name] == (message,)


def test_what_passes_is_not_told(told):
    assert told["good"] == ()
