"""Feedback by nbgrader's own converter: a summary first, and no hidden test, path or stranger anywhere in it."""

import html
import re
import sys
import tempfile

import nbformat
import pytest
from graded import cell_of, error, graded, released_course, store
from nbformat.v4 import new_output
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades

from llmcourse.grading.feedback import SafeFeedback, student_findings
from llmcourse.grading.feedback_markup import InertMarkup
from llmcourse.grading.feedback_summary import findings, remarks

ASSIGNMENT = "01_arithmetic"
DOUBLE = "def double(value):\n    return value ** 2\n"
MEAN = "def mean(values):\n    return sum(values) / len(values)\n"
# As IPython writes it: the lines around the one that failed are the hidden test's.
STOCK = [
    "\x1b[31m----\x1b[39m",
    "\x1b[31mAssertionError\x1b[39m              Traceback (most recent call last)",
    "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line 3\x1b[39m\n"
    '\x1b[32m      1\x1b[39m assert double(0) == 0, "zero stays zero"\n'
    "\x1b[32m      2\x1b[39m \x1b[38;5;66;03m### BEGIN HIDDEN TESTS\x1b[39;00m\n"
    '\x1b[32m----> 3\x1b[39m assert double("ab") == "abab", "text doubles too"\n'
    "\x1b[32m      4\x1b[39m \x1b[38;5;66;03m### END HIDDEN TESTS\x1b[39;00m\n",
    "\x1b[31mAssertionError\x1b[39m: text doubles too",
]
STOCK_MEAN = [
    "Cell In[5], line 3\n      1 assert mean([1, 3]) == 2\n      2 ### BEGIN HIDDEN TESTS\n"
    '----> 3 assert mean([]) == 0.0, "the mean of nothing is 0 here"',
    "Cell In[4], line 2, in mean(values)\n      1 def mean(values):\n----> 2     return sum(values) / len(values)",
    "ZeroDivisionError: division by zero",
]
SAYS = "double(2) is 5, not 4: is it squared?"


@pytest.fixture
def run_notebook(source):
    outputs = {
        "test_double": [error("AssertionError", SAYS)],
        "test_double_more": [error("AssertionError", "text doubles too", *STOCK)],
        "test_mean": [error("ZeroDivisionError", "division by zero", *STOCK_MEAN)],
    }  # fmt: skip
    return graded(source, answers={"double": DOUBLE, "mean": MEAN}, outputs=outputs)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return released_course(tmp_path_factory.mktemp("feedback") / "course")


def test_the_course_makes_safe_feedback_and_shows_formgrader_inert_markup(course):
    kinds = course.config.GenerateFeedback.preprocessors
    assert kinds.index(SafeFeedback) > kinds.index(GetGrades)  # the summary shows the gradebook's points
    assert course.config.HTMLExporter.preprocessors == [InertMarkup]


def feedback(course, student):
    done, log = course.convert(GenerateFeedback, ASSIGNMENT, student=student)
    assert done, log
    return (course.root / "feedback" / student / ASSIGNMENT / "steps.html").read_text(encoding="utf-8")


def words(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script).*?</\1>", "", page))))


def cleaned(notebook):
    SafeFeedback().clean(notebook)
    return notebook


def test_the_page_begins_with_points_and_messages_by_function(course, run_notebook):
    run_notebook.metadata["llmcourse"] = {"remarks": ["the notebook used more than 2 GB of memory"]}
    store(course, ASSIGNMENT, "anna", run_notebook, {"test_double": 0, "test_double_more": 1.5, "test_mean": 0})
    text = words(feedback(course, "anna"))
    assert (
        "Summary Function Points What the tests say "
        f"double 1.5 of 3 test_double: {SAYS} a hidden test: text doubles too "
        "mean 0 of 3 a hidden test: ZeroDivisionError: division by zero, in line 2, `return sum(values) / len(values)` "
        "the notebook used more than 2 GB of memory Arithmetic"
    ) in text


def test_the_page_holds_no_line_of_a_hidden_test(course, run_notebook):
    store(course, ASSIGNMENT, "bela", run_notebook, {"test_double": 0, "test_double_more": 0, "test_mean": 0})
    text = words(feedback(course, "bela"))
    assert "# (hidden tests)" in text
    for line in ('"abab"', "mean ([])", "mean([])", "HIDDEN TESTS"):
        assert line not in text
        assert line.replace(" ", "") not in text.replace(" ", "")
    assert "in a hidden test" in text
    assert "--> 2 return sum(values) / len(values)" in text  # the student's own line


def test_hidden_lines_in_other_outputs_are_taken_out(run_notebook):
    line = 'assert double("ab") == "abab", "text doubles too"'
    cell_of(run_notebook, "double").outputs = [
        new_output("stream", name="stdout", text=f"I read {line}\n"),
        new_output("display_data", data={"text/plain": f"<{line}>"}),
        error("ValueError", line),
    ]
    assert "abab" not in nbformat.writes(cleaned(run_notebook))


def test_a_hidden_check_without_a_message_is_not_shown_as_its_line(source):
    for cell in source.cells:
        cell.source = cell.source.replace(', "the mean of nothing is 0 here"', "")
    trace = ["Cell In[5], line 3\n----> 3 assert mean([]) == 0.0", "AssertionError: "]
    notebook = graded(source, answers={"mean": MEAN}, outputs={"test_mean": [error("AssertionError", "", *trace)]})
    assert findings(cleaned(notebook))[1].said == ("a hidden test: it fails",)


def test_a_student_cannot_break_their_page_with_delimiters(run_notebook):
    cell_of(run_notebook, "double").source = "### BEGIN HIDDEN TESTS\nx = 1"
    assert cell_of(cleaned(run_notebook), "double").source == "### BEGIN HIDDEN TESTS\nx = 1"


def test_paths_of_the_grader_are_taken_out(course, run_notebook):
    others = course.submitted / "ben" / ASSIGNMENT
    text = f"'{others}/steps.ipynb', {others}: {sys.prefix}/lib/torch.py, {tempfile.gettempdir()}/x1/a.txt /etc/hosts"
    cell_of(run_notebook, "double").outputs = [
        new_output("stream", name="stdout", text=text),
        error("FileNotFoundError", f"no {others}/steps.ipynb", f"--> {others}"),
    ]
    SafeFeedback(config=course.config).clean(run_notebook)
    stream, failure = cell_of(run_notebook, "double").outputs
    assert stream.text == "'…/steps.ipynb', …: …/torch.py, …/a.txt /etc/hosts"
    assert failure.evalue == "no …/steps.ipynb"
    assert "ben" not in nbformat.writes(run_notebook)


def test_an_error_in_the_answer_is_told_alone(run_notebook):
    cell_of(run_notebook, "double").outputs = [error("SyntaxError", "invalid syntax (1234.py, line 2)")]
    found, _ = findings(cleaned(run_notebook))
    assert found.said == ("the cell with your answer fails: SyntaxError: invalid syntax (line 2)",)


def test_a_limit_is_named(run_notebook):
    reason = "this did not run to its end: the notebook ran longer than 300 s in all"
    cell_of(run_notebook, "mean").outputs = [error("LimitExceeded", reason)]
    assert findings(cleaned(run_notebook))[1].said == (f"the cell with your answer fails: a limit was hit: {reason}",)


def test_what_passes_says_nothing(source):
    notebook = graded(source)
    assert [(item.name, item.points, item.max_points, item.said) for item in findings(cleaned(notebook))] == [
        ("double", 3, 3, ()), ("mean", 3, 3, ())
    ]  # fmt: skip


def test_the_summary_shows_markup_and_mathematics_as_text(course, run_notebook):
    says = "<script>alert(1)</script> </table>\n\n# $x$ **b** \x1b[31m\u202e"
    cell_of(run_notebook, "test_double").outputs = [error("AssertionError", says)]
    run_notebook.metadata["llmcourse"] = {"remarks": ["<b>bold</b>"]}
    store(course, ASSIGNMENT, "carl", run_notebook, {"test_double": 0, "test_double_more": 0, "test_mean": 0})
    page = feedback(course, "carl")
    safe = "test_double: &lt;script&gt;alert(1)&lt;/script&gt; &lt;/table&gt; # $x$ **b**"
    assert f'<span class="tex2jax_ignore">{safe}</span>' in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<script>alert" not in page


def test_remarks_of_another_form_are_ignored(source):
    source.metadata["llmcourse"] = {"remarks": {"a": 1}}
    assert remarks(source) == []


def test_the_terminal_has_the_same_lines(course, run_notebook):
    store(course, ASSIGNMENT, "dora", run_notebook, {"test_double": 0, "test_double_more": 0, "test_mean": 0})
    said = student_findings(course, ASSIGNMENT, "dora")
    assert said["steps", ("test_double", "test_double_more")] == [
        f"test_double: {SAYS}", "a hidden test: text doubles too"
    ]  # fmt: skip
    assert student_findings(course, ASSIGNMENT, "nobody") == {}
