"""Reading exercises: functions, points, hints, and what a run says about them."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from llmcourse.grading.exercise import changed_tests, parts, read_notebook, results


def test_a_function_is_its_answer_and_the_tests_after_it(source):
    double, mean = parts(source)
    assert (double.name, double.answers, double.tests, double.points) == ("double", (1,), (2, 3), 3)
    assert (mean.name, mean.answers, mean.tests, mean.points) == ("mean", (5,), (6,), 3)


def test_hints_belong_to_the_function_they_stand_before(source):
    double, mean = parts(source)
    assert double.hints == ("Hint 1: two of them",)
    assert mean.hints == ("Hint",)


def test_an_answer_that_defines_nothing_is_named_by_its_id(source):
    source.cells[1].source = "value = 3"
    assert parts(source)[0].name == "double"
    source.cells[1].source = "def _inner(): ...\nclass Doubler: ..."
    assert parts(source)[0].name == "Doubler"


def test_a_function_that_a_student_adds_does_not_rename_the_one_that_is_tested(source):
    source.cells[1].source = "def double(value): return twice(value)\n\n\ndef twice(value): return 2 * value"
    assert parts(source)[0].name == "double"
    source.cells[1].source = "def doubled(value): return 2 * value"
    assert parts(source)[0].name == "doubled"


def test_tests_without_an_answer_are_still_counted(source):
    del source.cells[1]
    first, second = parts(source)
    assert (first.name, first.points, second.name) == ("test_double", 3, "mean")


def test_a_plain_notebook_has_no_functions():
    assert parts(new_notebook(cells=[new_code_cell("1 + 1")])) == []


def error(name, value="", traceback=()):
    return new_output("error", ename=name, evalue=value, traceback=list(traceback))


def test_points_follow_nbgrader_and_messages_the_outputs(source):
    source.cells[3].outputs = [error("AssertionError", "zero stays zero")]
    double, mean = results(source)
    assert (double.points, double.messages) == (1, ("zero stays zero",))
    assert (mean.points, mean.state) == (3, "done")


def test_partial_credit_is_the_value_of_the_cell(source):
    source.cells[6].outputs = [new_output("execute_result", data={"text/plain": "1.5"}, execution_count=1)]
    assert results(source)[1].points == 1.5


def test_a_written_answer_needs_a_person(source):
    marks = source.cells[5].metadata.nbgrader
    marks.grade, marks.points = True, 2
    assert results(source)[1].state == "needs a person"


def test_edited_tests_are_found_by_their_checksum(source):
    source.cells[2].metadata.nbgrader["checksum"] = "of another text"
    assert changed_tests(source) == ["test_double"]


def test_results_tell_started_from_untouched(source):
    from nbgrader.utils import compute_checksum

    cell = source.cells[5]
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    source.cells[6].outputs = [error("NotImplementedError")]
    assert results(source)[1].state == "not started"
    cell.source += "# try"
    assert results(source)[1].state == "failing"


def test_a_function_without_a_point_is_failing_and_one_with_some_is_partly_done(source):
    source.cells[3].outputs = [error("AssertionError", "zero stays zero")]
    assert results(source)[0].state == "partly"
    source.cells[2].outputs = [error("AssertionError", "is it squared?")]
    assert (results(source)[0].points, results(source)[0].state) == (0, "failing")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"{", r"not valid JSON \(line 1, column 2\)"),
        (b"[1, 2]", "no notebook"),
        (b'{"a": 1}', "no notebook"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(tmp_path, content, says):
    path = tmp_path / "steps.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_notebook(path)


def test_notebooks_of_version_3_are_read(tmp_path, source):
    path = tmp_path / "old.ipynb"
    nbformat.write(nbformat.convert(source, 3), path, version=3)
    assert read_notebook(path).nbformat == 4
