from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from llmcourse.grading.border import names_of

SOURCE = (
    "import sys\ndef f(x): return 2 * x\ndef warn(): print('careful', file=sys.stderr)\ndef bad(x): return x.missing"
)


def grade(run) -> float | None:
    metadata = {"nbgrader": {"grade": True, "solution": False, "points": 3, "grade_id": "t"}}
    return determine_grade(NotebookNode(cell_type="code", source="", metadata=NotebookNode(metadata), outputs=[
        NotebookNode(output) for output in run.outputs]))[0]  # fmt: skip


def test_points_follow_nbgraders_rule(start) -> None:
    session = start(SOURCE)
    assert grade(session.run("assert f(2) == 4")) == 3
    assert grade(session.run("assert f(2) == 5")) == 0
    assert grade(session.run("score = 1 + (f(1) == 2) * 0.5\nscore")) == 1.5
    assert grade(session.run("warn()")) == 0
    assert grade(session.run("1 / 0")) == 0
    assert grade(session.run("f(2) == 4;")) == 3
    assert grade(session.run("%matplotlib inline\nassert f(2) == 4")) == 3
    assert grade(session.run("no such syntax")) == 0
    assert session.run("f(1)").outputs[0].data["text/plain"] == "2"
    assert session.run("None").outputs == [] and session.run("").outputs == []


def test_tracebacks_show_visible_lines_and_no_hidden_ones(start) -> None:
    session = start(SOURCE)
    hidden = "### BEGIN HIDDEN TESTS\nsecret_check = f(7) == 15\nassert secret_check\n### END HIDDEN TESTS"
    source = f"x = 1\nassert f(x) == 3\n{hidden}"
    text = str(session.run(source).outputs)
    assert "--> 2 assert f(x) == 3" in text and "secret" not in text
    text = str(session.run(source.replace("== 3", "== 2")).outputs)
    assert "in a hidden test" in text and "secret" not in text and "15" not in text
    text = "\n".join(session.run(source.replace("f(7)", "bad(7)").replace("== 3", "== 2")).outputs[-1].traceback)
    assert "AttributeError: 'int' object has no attribute 'missing'" in text
    assert "line 4 of the cell, in `bad`" in text and "secret" not in text


def test_names_belong_to_whoever_assigned_them_last(start) -> None:
    session = start("def f(): return counter\ncounter = 1\nunused = 2\ndef g(): return f() + 1")
    session.passes("assert counter == 1 and f() == 1\nimport math\ndef helper(): return g()")
    session.passes("assert helper() == 2\ncounter = 10")
    session.passes("assert counter == 10 and math.pi > 3")
    session.judge.define(names_of("counter = 1"))
    session.passes("assert counter == 1")
    assert "NameError" in start("", solution="def f(): pass").fails("f()")


def test_imports_of_the_solution_are_the_judges_own(start) -> None:
    source = "import math\nfrom collections import Counter as C\nmath.pi = 3\ndef f(): return C('aa')"
    start(source).passes("assert math.pi > 3.1 and type(f()) is C")


def test_student_goes_on_between_tests(start) -> None:
    session = start("class A:\n    n = 0\ndef bump(a): a.n += 1; return a.n")
    session.passes("a = A()\nassert bump(a) == 1")
    session.passes("assert bump(a) == 2 and a.n == 2")
    session.judge.leave()
    assert "process has ended" in session.fails("a.n")
