"""``llmcourse report``: what it prints of a class and of one student, and the files that it writes."""

import importlib.util
from pathlib import Path

import pytest

GRADING = Path(__file__).resolve().parents[1] / "grading"
SAYS = "double(3) is 9, not 6: is it squared?"


@pytest.fixture(scope="module")
def graded():
    """Return the module that writes graded notebooks."""
    spec = importlib.util.spec_from_file_location("graded", GRADING / "graded.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def course(graded, small, tmp_path_factory):
    course = graded.released_course(tmp_path_factory.mktemp("report") / "course")
    mean = "def mean(values):\n" + "".join(f"    total{n} = [v * {n} for v in values if v > {n}]\n" for n in range(6))
    for student in ("anna", "ben", "carl"):
        failing = {
            "test_double_more": [graded.error("AssertionError", SAYS.replace("3", "5" if student == "ben" else "3"))]
        }
        answers = {} if student == "carl" else {"mean": mean.replace("total", student)}
        notebook = graded.graded(small.make_source(), answers=answers, outputs={} if student == "carl" else failing)
        notebook.metadata["llmcourse"] = {"remarks": ["the notebook ran [red]longer[/] than 300 s in all"]}
        full = student == "carl"
        scores = {"test_double": 1, "test_double_more": 2 if full else 0, "test_mean": 3}
        graded.store(course, small.ASSIGNMENT, student, notebook, scores)
    return course.root


def test_the_class_is_described_after_the_marks(run, course):
    code, output = run("report", "--course", course)
    assert code == 0
    assert [line.strip() for line in output.splitlines()][-10:] == [
        "Functions with all their points",
        "double: 1 of 3 (33%)",
        "mean: 3 of 3 (100%)",
        "",
        "What went wrong",
        "2 of 3  double: double(…) is …, not …: is it squared?",
        "",
        "Similar submissions (no proof: read both)",
        "anna and ben: steps/mean 100%",
        "",
    ]


def test_one_student_is_told_what_their_feedback_says(run, course):
    code, output = run("report", "01_arithmetic", "--student", "ben", "--course", course)
    assert code == 0
    assert output.splitlines() == [
        "01_arithmetic  ben: 4 of 6, graded",
        "  steps/double  1 of 3",
        "      test_double_more: double(5) is 9, not 6: is it squared?",
        "  steps/mean  3 of 3",
        "  steps: the notebook ran [red]longer[/] than 300 s in all",
        "",
    ]


def test_an_unknown_student_is_refused(run, course):
    code, output = run("report", "--student", "nobody", "--course", course)
    assert code == 2
    assert "there is no student 'nobody' in the gradebook or in " in output


def test_the_files_are_written_and_named(run, course, tmp_path):
    page, table = tmp_path / "new" / "marks.html", tmp_path / "marks.csv"
    code, output = run("report", "--course", course, "--html", page, "--csv", table)
    assert code == 0
    names = ["marks.csv", "marks-functions.csv", "marks-misconceptions.csv", "marks-similar.csv"]
    assert output.splitlines()[-5:] == [f"wrote {page}", *(f"wrote {tmp_path / name}" for name in names)]
    assert "is it squared?" in page.read_text(encoding="utf-8")
    assert "anna,ben,steps/mean,1.0" in (tmp_path / "marks-similar.csv").read_text(encoding="utf-8")
