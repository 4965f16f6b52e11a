"""What all verbs share: errors in words, help without heavy imports."""

import subprocess
import sys

import pytest
import typer

from llmcourse.cli.terminal import mistakes, shown
from llmcourse.grading.course import CourseError


def test_mistakes_end_with_a_message_and_code_2(capsys):
    with pytest.raises(typer.Exit) as exit_info, mistakes():
        raise CourseError("mend [this]")
    assert exit_info.value.exit_code == 2
    assert capsys.readouterr().err.strip() == "Error: mend [this]"


def test_a_missing_package_says_what_to_install(capsys):
    with pytest.raises(typer.Exit), mistakes():
        raise ModuleNotFoundError("No module named 'nbgrader'", name="nbgrader")
    assert "pip install 'llmcourse[grade]'" in capsys.readouterr().err


@pytest.mark.parametrize("error", [ValueError("ours"), ModuleNotFoundError("x", name="llmcourse.nothing")])
def test_our_own_faults_are_not_hidden(error):
    with pytest.raises(type(error)), mistakes():
        raise error


def test_paths_are_shown_as_they_would_be_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "a" / "[b]") == r"a/\[b]"
    assert shown(tmp_path.parent) == str(tmp_path.parent)


def test_help_imports_nothing_heavy():
    probe = (
        "import sys; from typer.testing import CliRunner; from llmcourse.cli import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "heavy = {'torch', 'numpy', 'nbgrader', 'sqlalchemy', 'nbformat'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} {result.output}' if heavy or result.exit_code or 'grade' not in result.output else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
