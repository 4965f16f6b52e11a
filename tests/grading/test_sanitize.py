"""A submission is rebuilt on the assignment's cells: honest ones as they were, with a remark on each repair."""

import json

import nbformat
import pytest
import released as RELEASED
import small_course as SMALL
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.utils import is_grade

from llmcourse.grading.course import Course
from llmcourse.grading.exercise import read_notebook


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    return RELEASED.steps(tmp_path_factory.mktemp("steps"))


@pytest.fixture(scope="module")
def bpe(tmp_path_factory):
    return RELEASED.bpe(tmp_path_factory.mktemp("bpe"))


ORDER = ["title", "double", "test_double", "test_double_more", "heading", "mean", "test_mean"]


def test_an_untouched_exercise_gets_its_hidden_tests_and_nothing_else(bpe):
    before = bpe.read()
    after, repairs = bpe.sanitized(before)
    assert repairs == []
    assert [cell.id for cell in after.cells[:33]] == [cell.id for cell in before.cells[:33]]
    for old, new in zip(before.cells, after.cells, strict=True):
        assert old.cell_type == new.cell_type
        if not is_grade(new):
            assert new.source == old.source
    with Gradebook(bpe.resources["db_url"]) as gradebook:
        notebook = gradebook.find_notebook("bpe", "01_tokenization")
        recorded = {cell.name: cell.source for cell in notebook.source_cells}
        assert {cell.metadata.nbgrader.grade_id: cell.source for cell in after.cells[:33]} == recorded
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    assert {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in after.cells if is_grade(cell)
    } == points


def test_answers_and_own_cells_stay_where_they_were(steps):
    notebook = steps.read()
    notebook.cells[1].source = "def double(value):\n    return helper(value)"
    notebook.cells.insert(1, new_code_cell("def helper(value):\n    return 2 * value", metadata={"tags": ["mine"]}))
    notebook.cells.insert(5, new_markdown_cell("# Notes"))
    notebook.cells.append(new_raw_cell("raw"))
    after, repairs = steps.sanitized(notebook)
    assert repairs == []
    expected = [*ORDER[:1], notebook.cells[1].source, *ORDER[1:4], "# Notes", *ORDER[4:], "raw"]
    assert RELEASED.names(after) == expected
    assert after.cells[2].source == notebook.cells[2].source
    assert all(cell.metadata == {} for cell in (after.cells[1], after.cells[5], after.cells[-1]))
    assert [cell.cell_type for cell in after.cells][-4:] == ["markdown", "code", "code", "raw"]


def test_a_split_answer_runs_in_order_and_counts_once(steps):
    notebook = steps.read()
    second = nbformat.from_dict(notebook.cells[1])
    notebook.cells[1].source, second.source, second.id = "import math", "def double(value): ...", "split"
    notebook.cells.insert(2, second)
    after, repairs = steps.sanitized(notebook)
    assert repairs == []
    assert RELEASED.names(after)[:4] == ["title", "double", "def double(value): ...", "test_double"]
    assert after.cells[1].source == "import math"


def test_a_copied_and_edited_test_is_an_own_cell(steps):
    notebook = steps.read()
    copy = nbformat.from_dict(notebook.cells[2])
    copy.source, copy.id = "print(double(2))", "copy"
    notebook.cells.insert(2, copy)
    after, repairs = steps.sanitized(notebook)
    assert repairs == []
    assert RELEASED.names(after) == ["title", "double", "print(double(2))", *ORDER[2:]]


def test_cells_in_another_order_are_put_back_and_that_is_said(steps):
    notebook = steps.read()
    notebook.cells = [*notebook.cells[4:], new_code_cell("mine"), *notebook.cells[:4]]
    after, repairs = steps.sanitized(notebook)
    assert RELEASED.names(after) == [*ORDER, "mine"]
    assert repairs == ["The assignment's cells stood in another order; they were put back in theirs."]


def test_what_editors_do_by_themselves_is_no_repair(steps):
    notebook = steps.read()
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "mine", "display_name": "x"}, "widgets": {"a": 1}})
    for cell in notebook.cells:
        cell.metadata.update({"collapsed": True, "ExecuteTime": {"start": "now"}, "jupyter": {"source_hidden": True}})
        cell.source += "  \n"
    after, repairs = steps.sanitized(notebook)
    assert repairs == []
    assert after.metadata.kernelspec.name == "python3"
    assert set(after.metadata) == {"kernelspec", "language_info", "llmcourse"}
    assert all(set(cell.metadata) == {"nbgrader"} for cell in after.cells)


def test_an_editor_that_drops_metadata_and_ids_does_no_harm(steps):
    notebook = steps.read()
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = nbformat.NotebookNode(), f"new-{number}"
    notebook.cells[1].source, notebook.cells[5].source = "double = abs", "mean = max"
    after, repairs = steps.sanitized(notebook)
    assert RELEASED.names(after) == ["title", "double", "double = abs", *ORDER[2:6], "mean = max", "test_mean"]
    assert "The answer cell 'double' was missing; it was added back as it was released." in repairs


def test_an_answer_that_lost_its_metadata_is_known_by_its_cell_id(steps):
    notebook = steps.read()
    notebook.cells[1].source, notebook.cells[1].metadata = "double = abs", nbformat.NotebookNode()
    after, repairs = steps.sanitized(notebook)
    assert (RELEASED.names(after), after.cells[1].source) == (ORDER, "double = abs")
    assert repairs == ["The cell 'double' had lost its id or had another; it was put back."]


@pytest.mark.parametrize("version", [2, 3])
def test_notebooks_of_old_versions_go_through(steps, tmp_path, version):
    old = nbformat.convert(steps.read(), 3)
    if version == 2:
        old.nbformat, old.nbformat_minor = 2, 0
    path = tmp_path / "steps.ipynb"
    path.write_text(json.dumps(old))
    after, repairs = steps.sanitized(path)
    assert (RELEASED.names(after), repairs) == (ORDER, [])


def test_what_is_over_a_limit_is_cut_and_said(steps, monkeypatch):
    for name, limit in (("max_cells", 9), ("max_cell_characters", 400), ("max_characters", 1_000)):
        monkeypatch.setattr(steps.sanitize, name, limit)
    notebook = steps.read()
    notebook.cells[1:1] = [new_code_cell("a" * 401), new_code_cell("b" * 400), new_code_cell("c" * 400)]
    after, repairs = steps.sanitized(notebook)
    own = [cell.source for cell in after.cells if "nbgrader" not in cell.metadata]
    assert [own[0], own[1], set(own[2])] == ["a" * 400, "b" * 400, {"c"}]
    assert len(own[2]) < 200
    assert repairs[:2] == [
        "The submission has 10 cells; those after the first 9 were dropped.",
        "Cell 2 of the submission has 401 characters; those after 400 were cut.",
    ]
    assert [name for name in RELEASED.names(after) if name in ORDER] == ORDER


def test_remarks_are_capped(steps):
    notebook = steps.read()
    marks = {"nbgrader": {"grade": True, "grade_id": "x" * 5_000}, "tags": ["skip-execution"]}
    notebook.cells += [new_code_cell("", metadata=marks) for _ in range(100)]
    _, repairs = steps.sanitized(notebook)
    assert len(repairs) == 51
    assert repairs[-1] == "There were 150 more repairs."
    assert max(map(len, repairs)) < 250


def test_half_characters_are_replaced(steps):
    notebook = steps.read()
    notebook.cells[1].source = "x = '\ud83d'"
    after, repairs = steps.sanitized(notebook)
    assert after.cells[1].source == "x = '\ufffd'"
    assert repairs == ["Cell 2 of the submission held 1 broken characters (lone surrogates)."]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"a": 1}, "it has no list of cells"),
        ([{"cell_type": "code", "metadata": {}, "source": 5}], "cell 1 has no text"),
        ([{"cell_type": "code", "metadata": {}}], "cell 1 has no text"),
        (["code"], "cell 1 has no text"),
    ],
)
def test_text_that_is_none_is_refused(steps, cells, says):
    notebook = steps.read()
    notebook.cells = cells
    with pytest.raises(ValueError, match=says):
        steps.sanitize.preprocess(notebook, {"nbgrader": steps.resources})


# What the assignment is.


@pytest.fixture
def source_path(steps):
    """The instructor's notebook, put back after the test."""
    path = steps.course.solutions / SMALL.ASSIGNMENT / f"{SMALL.NOTEBOOK}.ipynb"
    content = path.read_bytes()
    yield path
    path.write_bytes(content)


def test_without_its_source_the_gradebook_still_knows_the_cells(steps, source_path):
    source_path.unlink()
    notebook = steps.read()
    del notebook.cells[2]
    after, repairs = steps.sanitized(notebook)
    assert sorted(RELEASED.names(after)) == sorted(ORDER)
    assert repairs == ["The test cell 'test_double' was missing; it was added back as it was released."]


def test_a_source_that_was_edited_after_the_release_changes_only_the_order(steps, source_path):
    source = nbformat.read(source_path, as_version=4)
    source.cells[2].source = "assert False"
    source.cells[3].metadata.nbgrader.points = 9
    source.cells[6].metadata.nbgrader.grade_id = "renamed"
    source.metadata["llmcourse"] = {"limits": {"cell_s": 5}}
    nbformat.write(source, source_path)
    after, repairs = steps.sanitized(steps.read())
    assert (RELEASED.names(after), repairs) == (ORDER, [])
    assert "squared" in after.cells[2].source
    assert after.cells[3].metadata.nbgrader.points == 2
    assert after.metadata.llmcourse.limits.cell_s == 5


def test_plain_nbgrader_uses_it_and_keeps_the_repairs(tmp_path):
    folder = SMALL.make_course(tmp_path / "course")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(
            "from nbgrader.converters import Autograde\nfrom llmcourse.grading.sanitize import Sanitize\n"
            "from nbgrader.preprocessors import CheckCellMetadata, LimitOutput, SaveAutoGrades\n"
            "kinds = [kind for kind in Autograde.sanitize_preprocessors.default() if kind is not Sanitize]\n"
            "c.Autograde.sanitize_preprocessors = [Sanitize, *kinds]\n"
            "c.Autograde.autograde_preprocessors = [LimitOutput, SaveAutoGrades, CheckCellMetadata]\n"
        )
    course = Course(folder)
    assert course.convert(GenerateAssignment, SMALL.ASSIGNMENT)[0]
    path = SMALL.hand_in(folder, "bob", double=SMALL.GOOD_DOUBLE)
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[2]
    nbformat.write(notebook, path)
    done, log = course.convert(Autograde, SMALL.ASSIGNMENT)
    assert done, log
    said = "The test cell 'test_double' was missing; it was added back as it was released."
    graded = read_notebook(course.autograded("bob", SMALL.ASSIGNMENT) / f"{SMALL.NOTEBOOK}.ipynb")
    assert graded.metadata.llmcourse.repairs == [said]
    assert said in log
    with course.gradebook() as gradebook:
        assert gradebook.find_submission(SMALL.ASSIGNMENT, "bob").max_score == 6
