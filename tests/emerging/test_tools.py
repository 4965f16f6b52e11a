import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import (
    Calculator,
    PassageSearch,
    PythonTool,
    Retriever,
    calculate,
    check_schema,
    course_passages,
)
from llmcourse.sandbox import Limits, NotIsolatedError, probe

EXPRESSIONS = st.recursive(
    st.integers(0, 99).map(str) | st.sampled_from(["0.5", "2.25"]),
    lambda part: (
        st.builds("({} {} {})".format, part, st.sampled_from(["+", "-", "*", "/", "//", "%"]), part)
        | st.builds("-{}".format, part)
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_as_python_works_it_out(expression):
    if len(expression) > 200:
        return
    try:
        expected = eval(expression)
    except ZeroDivisionError:
        with pytest.raises(ValueError, match="cannot be worked out"):
            calculate(expression)
    else:
        found = calculate(expression)
        assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("expression", ["2**10", "2**-1", "-2**2", "(-2)**3", "(-8)**2.0", " 1_000 * 3", "7 // -2"])
def test_powers_and_signs(expression):
    assert calculate(expression) == eval(expression.strip())


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os')", "().__class__", "a + 1", "[1][0]", "'a' * 9", "True + 1", "1 if 1 else 2", "1 < 2",
        "1j * 2", "(x := 3)", "lambda: 1", "~1", "1 << 9", "2 @ 3", "f'{1}'", "...", "", "1 +", "1; 2",
    ],
)  # fmt: skip
def test_nothing_but_arithmetic_is_worked_out(expression):
    with pytest.raises(ValueError, match=r"no arithmetic|cannot be worked out"):
        calculate(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "9**9**9", "10**400", "2.0**2000", "(-8)**0.5", "1e999", "0**-1", "9" * 199 + "9" * 199, "(2**1000)**2",
        "2**1000*2**1000", "(" * 150 + "1" + ")" * 40, "1+" * 120 + "1", "-" * 190 + "1e308*10", "1 / 2**1000 / 0.0",
        "2**1e9", "9" * 190 + "**9",
    ],
)  # fmt: skip
def test_what_grows_too_large_is_refused_and_not_worked_out(expression):
    with pytest.raises(ValueError, match=r"too large|bits|no real number|characters|cannot be worked out"):
        calculate(expression)


@pytest.mark.parametrize("tool", [Calculator(), PythonTool(), PassageSearch(Retriever(course_passages()))])
def test_schemas_are_checked_in_full(tool):
    check_schema(tool.parameters)
    assert not tool.acts


def test_calculator_and_search():
    assert Calculator()({"expression": "1/4"}) == "0.25"
    found = PassageSearch(Retriever(course_passages()), k=2)({"query": "bubble of a pipeline"}).splitlines()
    assert len(found) == 2
    assert found[0].startswith("[pipeline] Pipeline parallelism. Layers")


@pytest.mark.skipif(not probe().isolates, reason="no working sandbox here")
def test_python_runs_in_the_sandbox():
    tool = PythonTool(limits=Limits(wall_s=5, cpu_s=1))
    assert tool({"code": "print(sum(range(10)))"}) == "45\n"
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        tool({"code": "1 / 0"})
    with pytest.raises(ValueError, match="limit on cpu"):
        tool({"code": "while True: pass"})
    with pytest.raises(ValueError, match="the program failed"):
        tool({"code": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9', timeout=2)"})


def test_without_a_sandbox_nothing_is_run(monkeypatch):
    def refuse(*arguments, **options):
        raise NotIsolatedError("no bubblewrap")

    monkeypatch.setitem(PythonTool.__call__.__globals__, "run_untrusted", refuse)
    with pytest.raises(ValueError, match="cannot be run here: no bubblewrap"):
        PythonTool()({"code": "print(1)"})
    with pytest.raises(ValueError, match="code is empty"):
        PythonTool()({"code": " "})
