"""Running a submission in the sandbox with a judge: honest code gets what it earns, limits tell what they cut."""

from copy import deepcopy

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from nbgrader.utils import determine_grade, is_grade
from small_course import ASSIGNMENT, GOOD_DOUBLE, GOOD_MEAN, NOTEBOOK, make_source
from traitlets.config import Config

from llmcourse.grading.judged import JudgedExecute
from llmcourse.sandbox import probe

pytestmark = pytest.mark.skipif(not (probe().isolates and probe().nested), reason="needs a sandbox that works")


@pytest.fixture
def run(tmp_path):
    """Return a function that runs answers to the small exercise and returns points by cell, and the notebook."""

    def run(*, limits=None, source=None, extra=(), files=(), **answers):
        source = source or make_source()
        folder = tmp_path / "solutions" / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(source, folder / f"{NOTEBOOK}.ipynb")
        submission = deepcopy(source)
        for cell in submission.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(grade_id, cell.source)
        submission.cells[1:1] = [new_code_cell(text) for text in extra]
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        for name, text in files:
            (work / name).write_text(text)
        config = Config()
        config.CourseDirectory.root, config.CourseDirectory.source_directory = str(tmp_path), "solutions"
        config.JudgedExecute.preload = []
        config.JudgedExecute.limits = {"cell_s": 5, "total_s": 30, **(limits or {})}
        resources = {"nbgrader": {"assignment": ASSIGNMENT, "notebook": NOTEBOOK}, "metadata": {"path": str(work)}}
        done, _ = JudgedExecute(config=config).preprocess(submission, resources)
        nbformat.validate(done)
        graded = [cell for cell in done.cells if is_grade(cell)]
        return {cell.metadata.nbgrader["grade_id"]: determine_grade(cell)[0] for cell in graded}, done

    return run


def outputs(notebook, grade_id):
    """Return the text of a cell's outputs."""
    cell = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return "\n".join(output.get("text", "") or output.get("evalue", "") for output in cell.outputs)


def test_the_solution_and_another_right_answer_get_all(run):
    full = {"test_double": 1, "test_double_more": 2, "test_mean": 3}
    assert run()[0] == full
    assert run(double=GOOD_DOUBLE, mean=GOOD_MEAN)[0] == full


def test_a_wrong_answer_loses_what_its_test_is_worth_and_is_told_why(run):
    points, notebook = run(double="def double(value):\n    return value ** 2", mean=GOOD_MEAN)
    assert points == {"test_double": 1, "test_double_more": 0, "test_mean": 3}
    assert "TypeError" in str(notebook.cells)
    points, notebook = run(mean="def mean(values):\n    return 7")
    assert points["test_mean"] == 0


def test_nothing_of_a_hidden_test_is_in_an_output(run):
    _, notebook = run(double="def double(value):\n    return [value, value][0] * 2 if value != 'ab' else 'x'")
    failed = next(cell for cell in notebook.cells if "test_double_more" in str(cell.metadata))
    assert failed.outputs[0].evalue == "text doubles too"
    assert "abab" not in str(failed.outputs)


def test_helpers_imports_prints_files_and_plots_of_a_student_work(run):
    extra = [
        "import collections, time, random\nrandom.seed(3); began = time.time()",
        "print('hello', open('notes.txt').read(), collections.Counter('aab')['a'])",
        "class Helper:\n    def twice(self, value):\n        return value + value",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()",
    ]
    answer = "def double(value):\n    print('called with', value)\n    return Helper().twice(value)"
    points, notebook = run(extra=extra, files=[("notes.txt", "beside")], double=answer)
    assert points["test_double"] == 1
    assert points["test_double_more"] == 2
    assert "hello beside 2" in str(notebook.cells[2].outputs)
    assert "image/png" in str(notebook.cells[4].outputs)
    assert "called with 2" in outputs(notebook, "test_double")


def test_a_test_may_use_what_an_unmarked_cell_of_the_instructor_imports(run):
    source = make_source()
    source.cells.insert(1, new_code_cell("import math"))
    source.cells[3].source = "assert double(math.pi) == 2 * math.pi"
    assert run(source=source)[0]["test_double"] == 1


def test_a_cell_that_takes_too_long_is_stopped_and_the_rest_goes_on(run):
    points, notebook = run(limits={"cell_s": 1}, double="while True: pass", mean=GOOD_MEAN)
    assert points == {"test_double": 0, "test_double_more": 0, "test_mean": 3}
    assert "CellTimeoutError" in str(notebook.cells)


def test_a_call_that_never_returns_costs_its_own_points(run):
    points, notebook = run(limits={"cell_s": 1}, double="def double(value):\n    while True: pass", mean=GOOD_MEAN)
    assert points == {"test_double": 0, "test_double_more": 0, "test_mean": 3}
    assert "`double` did not answer within 1 s" in outputs(notebook, "test_double")


def test_a_loop_that_catches_the_interrupt_is_killed_and_what_came_before_counts(run):
    loop = (
        "import time\ndef mean(values): return 0\n"
        "while True:\n    try:\n        while True: time.sleep(0.01)\n    except BaseException: pass"
    )
    points, notebook = run(limits={"cell_s": 1}, double=GOOD_DOUBLE, mean=loop)
    assert points == {"test_double": 1, "test_double_more": 2, "test_mean": 0}
    assert "could not be stopped" in str(notebook.cells)


def test_a_process_that_ends_itself_keeps_what_came_before(run):
    points, notebook = run(double=GOOD_DOUBLE, mean="import os\nos._exit(0)")
    assert points == {"test_double": 1, "test_double_more": 2, "test_mean": 0}
    assert "has ended" in outputs(notebook, "test_mean")


def test_the_limit_that_was_hit_is_told(run):
    hog = "import time\nkeep = []\nwhile True:\n    keep.append(bytearray(b'x' * 10**6)); time.sleep(0.002)"
    points, notebook = run(limits={"memory_bytes": 150_000_000}, double=GOOD_DOUBLE, mean=hog)
    assert points["test_mean"] == 0
    assert points["test_double_more"] == 2
    told = str(notebook.metadata["llmcourse"]["remarks"]) + str(notebook.cells)
    assert "of memory" in told or "MemoryError" in told


def test_a_flood_of_output_is_cut(run):
    points, notebook = run(limits={"output_bytes": 10_000}, extra=["for i in range(20_000): print('x' * 100)"])
    assert points["test_double"] == 1
    assert len(str(notebook.cells[1].outputs)) < 20_000
    assert notebook.metadata["llmcourse"]["remarks"] == ["outputs beyond 10,000 bytes were cut"]


def test_arguments_may_be_changed_in_place_only_where_the_solution_does(run):
    source = make_source()
    source.cells[6].source = "values = [1, 3]\nassert mean(values) == sum(values) / len(values)"
    cheat = "def mean(values):\n    values[:] = [0]\n    return 0"
    points, notebook = run(source=source, mean=cheat)
    assert points["test_mean"] == 0
    assert "in place" in outputs(notebook, "test_mean")


def test_tests_get_a_seed_and_students_do_not(run):
    source = make_source()
    source.cells[2].source = "import os\nassert int(os.environ['LLMCOURSE_GRADING_SEED']) >= 0"
    points, notebook = run(source=source, double=GOOD_DOUBLE + "import os\nprint(sorted(os.environ))")
    assert points["test_double"] == 1
    assert "LLMCOURSE" not in outputs(notebook, "double")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("def mean(values):\n    return sum(values) / 2", 3),
        ("def mean(values):\n    return 4", 1),
        ("import numpy as np\ndef mean(values):\n    return np.array([2, 4])", 0),
        ("def mean(values):\n    return float('nan')", 0),
    ],
)
def test_points_that_a_test_counts_have_to_be_a_number(run, answer, expected):
    source = make_source()
    source.cells[6].source = "(mean([1, 3]) == 2) * 2 + (mean([3, 5]) == 4)"
    assert run(source=source, mean=answer)[0]["test_mean"] == expected
