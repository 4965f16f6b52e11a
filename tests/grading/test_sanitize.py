"""A submission is rebuilt on the assignment's cells: honest ones as they were, damaged and hostile ones soundly."""

import json
import logging
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import damage as DAMAGE
import jsonschema
import nbformat
import pytest
import small_course as SMALL
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import overwritecells, overwritekernelspec
from nbgrader.utils import determine_grade, is_grade

from llmcourse.grading import skeleton
from llmcourse.grading.course import Course
from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.gate import Gate
from llmcourse.grading.sanitize import Sanitize
from llmcourse.grading.submissions import Submission

HERE = Path(__file__).parent
EXERCISE = HERE.parents[1] / "solutions" / "01_tokenization" / "bpe.ipynb"


class Assignment:
    """A released notebook, and nbgrader's way from a file to a notebook that is about to be run."""

    def __init__(self, course, assignment, name):
        self.course = course
        self.released = course.released(assignment) / f"{name}.ipynb"
        self.resources = {"student": "s", "assignment": assignment, "notebook": name, "db_url": course.directory.db_url}
        done, log = course.convert(GenerateAssignment, assignment)
        assert done, log
        converter = Autograde(coursedir=course.directory, parent=course._app)
        self.exporter = Gate(parent=converter, config=converter.config)
        preprocessors = Autograde.sanitize_preprocessors.default()
        for preprocessor in (Sanitize, *preprocessors):
            self.exporter.register_preprocessor(preprocessor)
        self.sanitize = self.exporter._preprocessors[0]

    def read(self):
        return nbformat.read(self.released, as_version=4)

    def sanitized(self, notebook):
        """Return what is run of a notebook or of a file, and what was repaired."""
        if isinstance(notebook, Path):
            text, _ = self.exporter.from_filename(str(notebook), resources={"nbgrader": dict(self.resources)})
        else:
            text, _ = self.exporter.from_notebook_node(notebook, resources={"nbgrader": dict(self.resources)})
        result = nbformat.reads(text, as_version=4)
        return result, result.metadata.llmcourse.repairs

    def stages(self, notebook):
        """Return the assignment's cells after each preprocessor, without nbconvert's copies and checks between them."""
        found = []
        for preprocessor in self.exporter._preprocessors:
            notebook, _ = preprocessor(notebook, {"nbgrader": dict(self.resources)})
            found.append(marked_cells(notebook))
        nbformat.validate(notebook)
        return found


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """The small course's exercise: title, double, two tests, a heading, mean, a test."""
    folder = SMALL.make_course(tmp_path_factory.mktemp("steps"), _lock_texts(SMALL.make_source()))
    return Assignment(Course(folder), SMALL.ASSIGNMENT, SMALL.NOTEBOOK)


def _lock_texts(source):
    for name, index in (("title", 0), ("heading", 4)):
        marks = {
            "grade": False,
            "grade_id": name,
            "locked": True,
            "schema_version": 3,
            "solution": False,
            "task": False,
        }
        source.cells[index].metadata["nbgrader"] = marks
    return source


@pytest.fixture(scope="module")
def bpe(tmp_path_factory):
    """The course's exercise on byte-pair encoding."""
    folder = tmp_path_factory.mktemp("bpe")
    (folder / "solutions" / "01_tokenization").mkdir(parents=True)
    shutil.copy(EXERCISE, folder / "solutions" / "01_tokenization")
    shutil.copy(HERE.parents[1] / "nbgrader_config.py", folder)
    return Assignment(Course(folder), "01_tokenization", "bpe")


def names(notebook):
    """Return the ids of the assignment's cells, and the text of the others, in order."""
    return [cell.metadata.get("nbgrader", {}).get("grade_id") or cell.source for cell in notebook.cells]


ORDER = ["title", "double", "test_double", "test_double_more", "heading", "mean", "test_mean"]


# Honest submissions.


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
    assert names(after) == expected
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
    assert names(after)[:4] == ["title", "double", "def double(value): ...", "test_double"]
    assert after.cells[1].source == "import math"


def test_a_copied_and_edited_test_is_an_own_cell(steps):
    notebook = steps.read()
    copy = nbformat.from_dict(notebook.cells[2])
    copy.source, copy.id = "print(double(2))", "copy"
    notebook.cells.insert(2, copy)
    after, repairs = steps.sanitized(notebook)
    assert repairs == []
    assert names(after) == ["title", "double", "print(double(2))", *ORDER[2:]]


def test_cells_in_another_order_are_put_back_and_that_is_said(steps):
    notebook = steps.read()
    notebook.cells = [*notebook.cells[4:], new_code_cell("mine"), *notebook.cells[:4]]
    after, repairs = steps.sanitized(notebook)
    assert names(after) == [*ORDER, "mine"]
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
    assert names(after) == ["title", "double", "double = abs", *ORDER[2:6], "mean = max", "test_mean"]
    assert "The answer cell 'double' was missing; it was added back as it was released." in repairs


def test_an_answer_that_lost_its_metadata_is_known_by_its_cell_id(steps):
    notebook = steps.read()
    notebook.cells[1].source, notebook.cells[1].metadata = "double = abs", nbformat.NotebookNode()
    after, repairs = steps.sanitized(notebook)
    assert (names(after), after.cells[1].source) == (ORDER, "double = abs")
    assert repairs == ["The cell 'double' had lost its id or had another; it was put back."]


@pytest.mark.parametrize("version", [2, 3])
def test_notebooks_of_old_versions_go_through(steps, tmp_path, version):
    old = nbformat.convert(steps.read(), 3)
    if version == 2:
        old.nbformat, old.nbformat_minor = 2, 0
    path = tmp_path / "steps.ipynb"
    path.write_text(json.dumps(old))
    after, repairs = steps.sanitized(path)
    assert (names(after), repairs) == (ORDER, [])


# Hostile ones.


def _replace_tests(notebook):
    for cell in notebook.cells[2:4]:
        cell.source = "assert True"


def _delete_tests(notebook):
    del notebook.cells[2:4]


def _raise_points(notebook):
    notebook.cells[2].metadata.nbgrader.points = 1000


def _make_a_test_an_answer(notebook):
    notebook.cells[2].metadata.nbgrader.update(grade=False, solution=True, locked=False)


def _make_tests_text(notebook):
    nbformat.NotebookNode.update(notebook.cells[2], cell_type="markdown")
    del notebook.cells[2]["outputs"], notebook.cells[2]["execution_count"]


def _skip_tests(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]


def _swap_ids(notebook):
    one, two = notebook.cells[1].metadata.nbgrader, notebook.cells[2].metadata.nbgrader
    one.grade_id, two.grade_id = two.grade_id, one.grade_id


def _duplicate_tests(notebook):
    for _ in range(5):
        notebook.cells.append(nbformat.from_dict({**notebook.cells[2], "source": "assert True"}))


def _add_graded_cells(notebook):
    marks = {"grade": True, "grade_id": "bonus", "locked": True, "points": 50, "schema_version": 3, "solution": False}
    notebook.cells.append(new_code_cell("assert True", metadata={"nbgrader": {**marks, "task": False}}))


def _forge_results(notebook):
    result = {"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}, "execution_count": 1}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(result)]


def _other_schema(notebook):
    for cell, version in zip(notebook.cells, (99, 0, 1, 2, "3", None, -1), strict=True):
        cell.metadata["nbgrader"]["schema_version"] = version


HOSTILE = {
    _replace_tests: ["The text of the locked cell 'test_double' was not the assignment's; it was put back."],
    _delete_tests: ["The test cell 'test_double' was missing; it was added back as it was released."],
    _raise_points: ["What nbgrader says of the cell 'test_double' was changed (points); it was put back."],
    _make_a_test_an_answer: [
        "What nbgrader says of the cell 'test_double' was changed (grade, solution, locked); it was put back."
    ],
    _make_tests_text: ["The cell 'test_double' had the type markdown; it is code again."],
    _skip_tests: ["The cell 'test_double' was tagged skip-execution; it is run."],
    _swap_ids: ["The text of the locked cell 'test_double' was not the assignment's; it was put back."],
    _duplicate_tests: [],
    _add_graded_cells: [
        "Cell 8 of the submission was marked as graded, under the id 'bonus', which the assignment does not have; "
        "it is a plain cell."
    ],
    _forge_results: [],
    _other_schema: [],
}


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.__name__.strip("_"))
def test_no_change_of_metadata_reaches_the_tests(steps, attack):
    honest, notebook = steps.stages(steps.read()), steps.read()
    attack(notebook)
    after, repairs = steps.sanitized(notebook)
    assert marked_cells(after) == honest[-1]
    assert steps.stages(notebook) == honest
    assert set(HOSTILE[attack]) <= set(repairs)
    assert bool(repairs) == bool(HOSTILE[attack])
    assert sum(determine_grade(cell)[1] for cell in after.cells if is_grade(cell)) == 6


def test_a_deleted_answer_comes_back_without_its_solution_and_above_what_replaces_it(steps):
    notebook = steps.read()
    notebook.cells[1] = new_code_cell("def double(value):\n    return 2 * value")
    after, repairs = steps.sanitized(notebook)
    assert names(after)[:4] == ["title", "double", "def double(value):\n    return 2 * value", "test_double"]
    assert "raise NotImplementedError()" in after.cells[1].source
    assert "value + value" not in after.cells[1].source
    assert repairs == ["The answer cell 'double' was missing; it was added back as it was released."]


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
    assert [name for name in names(after) if name in ORDER] == ORDER


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
    assert sorted(names(after)) == sorted(ORDER)
    assert repairs == ["The test cell 'test_double' was missing; it was added back as it was released."]


def test_a_source_that_was_edited_after_the_release_changes_only_the_order(steps, source_path):
    source = nbformat.read(source_path, as_version=4)
    source.cells[2].source = "assert False"
    source.cells[3].metadata.nbgrader.points = 9
    source.cells[6].metadata.nbgrader.grade_id = "renamed"
    source.metadata["llmcourse"] = {"limits": {"cell_s": 5}}
    nbformat.write(source, source_path)
    after, repairs = steps.sanitized(steps.read())
    assert (names(after), repairs) == (ORDER, [])
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


# A thousand damaged notebooks.


def marked_cells(notebook):
    """Return the assignment's cells: their text too where it is not the student's."""
    found = []
    for cell in notebook.cells:
        if marks := cell.metadata.get("nbgrader"):
            text = "" if marks.get("solution") else cell.source
            found.append((marks["grade_id"], cell.id, cell.cell_type, dict(marks), text))
    return found


class OpenBook(Gradebook):
    """A gradebook that stays open, and answers the same question once."""

    def __init__(self, url):
        super().__init__(url)
        self.find_source_cell = cache(super().find_source_cell)
        self.find_graded_cell = cache(super().find_graded_cell)

    def __exit__(self, *error):
        """Stay open."""


@pytest.fixture
def fast(bpe, monkeypatch):
    """Spare nbgrader's preprocessors what is the same for each notebook: opening the gradebook, checking its schema."""
    book = OpenBook(bpe.resources["db_url"])
    for module in (skeleton, overwritecells, overwritekernelspec):
        monkeypatch.setattr(module, "Gradebook", lambda url: book)
    monkeypatch.setattr(jsonschema.Draft4Validator, "check_schema", lambda *schema: None)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    book.close()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("count", [240, pytest.param(1_000, marks=pytest.mark.soak)])
def test_damaged_notebooks_end_in_a_reason_or_in_the_assignments_own_cells(bpe, tmp_path, fast, count):
    honest = bpe.stages(bpe.read())
    path, text = tmp_path / "bpe.ipynb", bpe.released.read_text(encoding="utf-8")
    submission = Submission(student="s", assignment="01_tokenization", folder=tmp_path, expected=("bpe",))
    ends = Counter()
    for seed in range(count):
        kind = DAMAGE.KINDS[seed % len(DAMAGE.KINDS)].__name__
        path.write_bytes(DAMAGE.damaged(text, seed))
        reason = submission.problem()
        if reason is not None:
            assert reason.isprintable(), (seed, kind)
            assert reason.startswith(("bpe.ipynb is ", "bpe.ipynb holds ", "bpe.ipynb: ")), (seed, kind, reason)
            ends[kind, "refused"] += 1
        else:
            assert bpe.stages(read_notebook(path)) == honest, (seed, kind)
            if seed < 60:
                assert marked_cells(bpe.sanitized(path)[0]) == honest[-1], (seed, kind)
            ends[kind, "sound"] += 1
    assert ends.total() == count
    for kind in ("shuffled_cells", "deleted_cells", "duplicated_cells", "changed_marks", "huge_text", "lost_marks"):
        assert not ends[kind, "refused"], kind
    for kind in ("truncated", "merge_conflict", "other_encoding"):
        assert not ends[kind, "sound"], kind


def test_damage_is_the_same_for_the_same_seed(bpe):
    text = bpe.released.read_text(encoding="utf-8")
    seeds = range(len(DAMAGE.KINDS))
    once = [DAMAGE.damaged(text, seed) for seed in seeds]
    assert once == [DAMAGE.damaged(text, seed) for seed in seeds]
    assert sum(data != text.encode() for data in once) >= len(DAMAGE.KINDS) - 1
    assert max(map(len, once)) < 5_000_000
