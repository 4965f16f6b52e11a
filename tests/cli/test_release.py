"""``llmcourse release``: what students get, where it goes, and what is refused."""

import zipfile

import nbformat
import pytest


@pytest.fixture(scope="module")
def course(small, tmp_path_factory):
    return small.make_course(tmp_path_factory.mktemp("release") / "course")


@pytest.fixture(scope="module")
def released(course, run):
    return run("release", "--course", course, "--output", course / "exercises", "--zip")


def test_students_get_the_task_without_its_solution(course, released, small):
    code, output = released
    assert code == 0, output
    assert "2 functions, 6 points; the solution gets them all, and is not in it" in output
    for folder in ("release", "exercises"):
        text = (course / folder / small.ASSIGNMENT / "steps.ipynb").read_text()
        assert "raise NotImplementedError()" in text
        assert "double(2) == 4" in text
        for secret in ("BEGIN SOLUTION", "HIDDEN TESTS", "total_of_all", "abab"):
            assert secret not in text


def test_the_zip_holds_the_same_files_and_no_more(course, released, small):
    with zipfile.ZipFile(course / "exercises" / "exercises.zip") as archive:
        assert archive.namelist() == [f"{small.ASSIGNMENT}/steps.ipynb"]
        assert archive.read(archive.namelist()[0]) == (course / "release" / archive.namelist()[0]).read_bytes()


def test_work_is_kept_and_never_overwritten_unless_forced(course, released, run, small):
    work = course / "exercises" / small.ASSIGNMENT / "steps.ipynb"
    original = work.read_bytes()
    small.fill(work, work, double=small.GOOD_DOUBLE)
    mine = work.read_bytes()
    code, output = run("release", "--course", course, "--output", course / "exercises", "--keep")
    assert (code, work.read_bytes()) == (0, mine)
    assert "is there, and is kept" in output
    code, output = run("release", "--course", course, "--output", course / "exercises")
    assert (code, work.read_bytes()) == (2, mine)
    assert "may be somebody's work; leave it with --keep, or replace it with --force" in output
    code, _ = run("release", "--course", course, "--output", course / "exercises", "--force")
    assert (code, work.read_bytes()) == (0, original)


def test_keep_needs_a_folder_to_keep(course, run):
    code, output = run("release", "--course", course, "--keep")
    assert code == 2
    assert "name it: --output exercises" in output


def test_a_solution_without_full_marks_is_not_released(small, run, tmp_path):
    source = small.make_source()
    source.cells[5].source = source.cells[5].source.replace("if values else 0.0", "")
    folder = small.make_course(tmp_path / "course", source)
    code, output = run("release", "--course", folder)
    assert code == 2
    # Where it could not be judged apart, its line is known as well.
    assert "does not get full marks by its own tests: mean 0 of 3 (ZeroDivisionError: division by zero" in output
    assert not (folder / "release").exists()
    assert not (folder / "gradebook.db").exists()


def test_a_file_that_gives_the_solution_away_stops_the_release(small, run, tmp_path):
    folder = small.make_course(tmp_path / "course")
    answers = folder / "solutions" / small.ASSIGNMENT / "answers.py"
    answers.write_text("def mean(values):\n    total_of_all = sum(values)\n")
    code, output = run("release", "--course", folder)
    assert code == 2
    assert "answers.py, line 2: total_of_all = sum(values)" in output
    assert not (folder / "release" / small.ASSIGNMENT).exists()


def test_a_broken_source_is_named(small, run, tmp_path):
    folder = small.make_course(tmp_path / "course")
    (folder / "solutions" / small.ASSIGNMENT / "steps.ipynb").write_text("{")
    code, output = run("release", "--course", folder)
    assert code == 2
    assert "steps.ipynb is not valid JSON" in output


def test_a_notebook_without_tests_is_refused(small, run, tmp_path):
    source = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    folder = small.make_course(tmp_path / "course", source)
    code, output = run("release", "--course", folder)
    assert code == 2
    assert "has no graded cell" in output
