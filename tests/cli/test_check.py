"""``llmcourse check`` and ``status`` on a student's folder, with no course folder or gradebook near."""

import re

import nbformat
import pytest

from llmcourse.cli.check import _Clock


@pytest.fixture(scope="module")
def released(small, run, tmp_path_factory):
    course = small.make_course(tmp_path_factory.mktemp("check") / "course")
    assert run("release", "--course", course)[0] == 0
    return course / "release" / small.ASSIGNMENT / "steps.ipynb"


@pytest.fixture
def exercises(tmp_path, monkeypatch):
    """Return an empty folder of exercises, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "exercises"


def test_a_student_sees_each_function_with_message_points_and_hints(small, released, exercises, run):
    work = small.fill(
        released, exercises / "01_arithmetic" / "steps.ipynb", double="def double(value):\n    return 5\n"
    )
    before = work.read_bytes()
    code, output = run("check", "exercises/01_arithmetic/steps.ipynb")
    assert code == 1
    assert work.read_bytes() == before
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert "double failing 0 / 3" in lines
    assert "mean not started 0 / 3" in lines
    assert "double(2) is 5, not 4: is it squared?" in lines
    assert "Stuck? The notebook has for this function: Hint 1: two of them" in lines
    assert lines[-1].endswith("grading also runs tests that you cannot see. Next: double")


def test_all_visible_tests_pass(small, released, exercises, run):
    # wrong where only hidden tests look: the student is told no more than is true
    mean = "def mean(values):\n    return sum(values) / len(values)\n"
    small.fill(released, exercises / "steps.ipynb", double=small.GOOD_DOUBLE, mean=mean)
    code, output = run("check", "exercises/steps.ipynb")
    assert code == 0
    assert "All visible tests pass. Grading also runs tests that you cannot see." in output


def test_an_endless_loop_is_stopped_and_the_rest_is_checked(small, released, exercises, run):
    loop = "def double(value):\n    while True:\n        pass\n"
    small.fill(released, exercises / "steps.ipynb", double=loop, mean=small.GOOD_MEAN)
    code, output = run("check", "exercises/steps.ipynb", "--timeout", "1")
    assert code == 1
    assert "it ran out of time after 1 s and was stopped in line " in output
    assert "the rest of its tests were not run" in output
    assert "KeyboardInterrupt" not in output
    assert "mean      done" in output


def test_without_a_terminal_each_function_is_a_line_as_it_ends(small, released, exercises, run):
    small.fill(released, exercises / "steps.ipynb", double=small.GOOD_DOUBLE)
    _, output = run("check", "exercises/steps.ipynb")
    first, double, mean, *_ = output.splitlines()
    assert first == "checking exercises/steps.ipynb, at most 30 s for a cell"
    assert re.fullmatch(r"double: done, 3 / 3 points, \d+\.\d s", double)
    assert re.fullmatch(r"mean: not started, 0 / 3 points, \d+\.\d s", mean)


def test_in_a_terminal_a_clock_runs():
    clock = _Clock("checking steps.ipynb", 30)
    assert clock.__rich__() == "checking steps.ipynb: starting Python"
    clock.start("double")
    assert clock.__rich__() == "checking steps.ipynb: double, 0 s of at most 30 s"
    clock.start("")
    assert clock.__rich__() == "checking steps.ipynb: a cell without tests, 0 s of at most 30 s"


def test_a_kernel_that_dies_is_told_with_its_place(small, released, exercises, run):
    small.fill(released, exercises / "steps.ipynb", double="import os\nos._exit(1)\n")
    code, output = run("check", "exercises/steps.ipynb")
    assert code == 2
    assert "the kernel died in cell 2: the code ran out of memory or ended the process (double)" in output


def test_edited_tests_are_remarked_on(small, released, exercises, run):
    path = small.fill(released, exercises / "steps.ipynb", double=small.GOOD_DOUBLE, mean=small.GOOD_MEAN)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[6].source = "pass"
    nbformat.write(notebook, path)
    code, output = run("check", "exercises/steps.ipynb")
    assert code == 0
    assert "You have changed test cells (test_mean). Grading puts the original ones back." in output


def test_what_cannot_be_checked_exits_with_2(exercises, run):
    exercises.mkdir()
    (exercises / "broken.ipynb").write_text("{")
    nbformat.write(nbformat.v4.new_notebook(), exercises / "plain.ipynb")
    for name, says in (
        ("none.ipynb", "there is no file"),
        ("broken.ipynb", "not valid JSON"),
        ("plain.ipynb", "holds no tests of this course"),
    ):
        code, output = run("check", f"exercises/{name}")
        assert code == 2
        assert says in output


def status_lines(run, *arguments):
    code, output = run("status", *arguments)
    assert code == 0
    return [" ".join(line.strip("│ ").split()) for line in output.splitlines()]


def test_status_follows_the_work(small, released, exercises, run):
    path = exercises / "01_arithmetic" / "steps.ipynb"
    small.fill(released, path)
    lines = status_lines(run)
    assert "01_arithmetic/steps │ not started: double, mean │ – / 6" in lines
    small.fill(released, path, double=small.GOOD_DOUBLE)
    lines = status_lines(run)
    assert "01_arithmetic/steps │ not started: mean │ – / 6" in lines
    assert "changed: double" in lines
    assert lines[-1].endswith("check what you changed: llmcourse check exercises/01_arithmetic/steps.ipynb")
    lines = status_lines(run, "--check")
    assert "01_arithmetic/steps │ done: double │ 3 / 6" in lines
    assert lines[-1] == "1 of 2 functions done"
    # remembered, not run again
    assert status_lines(run) == lines[lines.index("Exercises in exercises") :]


def test_status_keeps_the_points_of_what_has_changed_and_marks_them(small, released, exercises, run):
    path = exercises / "steps.ipynb"
    small.fill(released, path, double=small.GOOD_DOUBLE, mean="def mean(values):\n    return 5\n")
    run("check", path)
    small.fill(released, path, double=small.GOOD_DOUBLE + "\n# more", mean="def mean(values):\n    return 5\n")
    lines = status_lines(run)
    assert "steps │ failing: mean │ 3 / 6" in lines
    assert "changed: double (was 3 / 3) │ 3 of them old" in lines


def test_running_a_notebook_in_jupyter_is_no_change(small, released, exercises, run):
    path = small.fill(released, exercises / "steps.ipynb", double=small.GOOD_DOUBLE)
    run("check", path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].execution_count = 7
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(notebook, path)
    assert status_lines(run)[-1] == "1 of 2 functions done"


def test_status_says_where_exercises_come_from(exercises, run):
    code, output = run("status")
    assert code == 2
    assert "make it: make lab" in output
    exercises.mkdir()
    code, output = run("status")
    assert code == 2
    assert "holds no exercise" in output
