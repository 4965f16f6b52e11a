"""What a submitted folder may hold, and that looking at it never blocks, follows a link or runs out of memory."""

import os
import socket
import time
from pathlib import Path

import pytest

from llmcourse.grading import intake
from llmcourse.grading.intake import notebook_bomb, plain_bytes, plain_files, shown, unsafe


@pytest.fixture
def folder(tmp_path):
    """A submission's folder with a notebook and a file in a folder."""
    folder = tmp_path / "student" / "assignment"
    (folder / "data").mkdir(parents=True)
    (folder / "steps.ipynb").write_text("{}")
    (folder / "data" / "numbers.csv").write_text("1,2")
    (tmp_path / "secret.txt").write_text("not the student's")
    return folder


def _link(folder):
    (folder / "notes.txt").symlink_to(folder.parents[1] / "secret.txt")


def _link_inside(folder):
    (folder / "data" / "again.csv").symlink_to("numbers.csv")


def _linked_notebook(folder):
    (folder / "steps.ipynb").unlink()
    (folder / "steps.ipynb").symlink_to(folder.parents[1] / "secret.txt")


def _linked_folder(folder):
    (folder / "root").symlink_to("/", target_is_directory=True)


def _dangling(folder):
    (folder / "gone").symlink_to("nowhere")


def _loop(folder):
    (folder / "data" / "up").symlink_to("..", target_is_directory=True)
    (folder / "self").symlink_to("self")


def _pipe(folder):
    os.mkfifo(folder / "steps2.ipynb")


def _socket(folder):
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may have some hundred characters only
        try:
            server.bind("s")
        finally:
            os.chdir(here)


def _notebook_folder(folder):
    (folder / "more.ipynb").mkdir()


def _line_in_a_name(folder):
    (folder / "a\nValueError: full marks").touch()


def _deep(folder):
    path = folder
    for _ in range(25):
        path = path / "d"
        path.mkdir()


def _many(folder):
    for number in range(1_001):
        (folder / "data" / str(number)).touch()


def _large(folder):
    with (folder / "hole").open("wb") as file:
        file.truncate(10**12)


def _large_together(folder):
    for number in range(11):
        with (folder / str(number)).open("wb") as file:
            file.truncate(10**7)


REFUSED = {
    _link: "notes.txt is a symbolic link; put the file itself there",
    _link_inside: "data/again.csv is a symbolic link",
    _linked_notebook: "steps.ipynb is a symbolic link",
    _linked_folder: "root is a symbolic link",
    _dangling: "gone is a symbolic link",
    _loop: "is a symbolic link",
    _pipe: "steps2.ipynb is neither a file nor a folder",
    _socket: "s is neither a file nor a folder",
    _notebook_folder: "more.ipynb is a folder; a notebook is a file",
    _line_in_a_name: "'a\\nValueError: full marks' has a control character in its name",
    _deep: "nested more than 20 deep",
    _many: "more than 1,000 files and folders",
    _large: "its files exceed 100,000,000 bytes in all (hole)",
    _large_together: "its files exceed 100,000,000 bytes in all",
}


def test_ordinary_folders_are_taken(folder):
    (folder / "Übung ×2 – 数据.txt").touch()
    (folder / ".ipynb_checkpoints").mkdir()
    os.link(folder / "data" / "numbers.csv", folder / "same.csv")  # a hard link is a file like any other
    assert unsafe(folder) is None
    assert [path.name for path in plain_files(folder)][:1] == ["numbers.csv"]


@pytest.mark.parametrize("strange", REFUSED, ids=lambda strange: strange.__name__.strip("_"))
def test_strange_folders_are_refused_soon_and_in_words(folder, strange):
    strange(folder)
    began = time.perf_counter()
    reason = unsafe(folder)
    assert REFUSED[strange] in reason
    assert reason.isprintable()
    assert time.perf_counter() - began < 1


def test_names_that_are_no_text_are_taken_and_shown(folder):
    os.close(os.open(os.fsencode(folder) + b"/\xffname", os.O_CREAT))
    assert unsafe(folder) is None
    assert "'\\udcffname'" in [shown(path.name) for path in folder.iterdir()]


@pytest.mark.parametrize("which", ["student", "assignment"])
def test_the_folder_itself_may_be_no_link(folder, tmp_path, which):
    other = tmp_path / "mallory" / "assignment"
    if which == "student":
        other.parent.symlink_to(folder.parent)
    else:
        other.parent.mkdir()
        other.symlink_to(folder)
    assert "is a symbolic link; put the submission's own files there" in unsafe(other)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said(folder):
    (folder / "steps.ipynb").chmod(0)
    assert "steps.ipynb cannot be read" in unsafe(folder)


def test_a_folder_that_is_gone_is_said(folder):
    assert unsafe(folder / "nowhere") == "the folder cannot be read: No such file or directory"


def test_only_plain_files_are_read(folder):
    _pipe(folder)
    _link(folder)
    for name, says in (("steps2.ipynb", "no plain file"), ("notes.txt", "no plain file"), ("gone", "cannot be read")):
        with pytest.raises(ValueError, match=says):
            plain_bytes(folder / name, limit=100)
    with pytest.raises(ValueError, match="holds more than 2 bytes"):
        plain_bytes(folder / "data" / "numbers.csv", limit=2)
    assert plain_bytes(folder / "data" / "numbers.csv", limit=3) == b"1,2"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" * 101, "nested more than 100 deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested more than 100 deep"),
        (b"[" + b"{}," * 100_000, "more than 100,000 lists and dictionaries"),
        (b"[" * 1_000_000, "more than 100,000 lists and dictionaries"),
    ],
)
def test_notebooks_that_would_exhaust_memory_or_stack_are_refused(tmp_path, content, says):
    path = tmp_path / "steps.ipynb"
    path.write_bytes(content)
    assert says in notebook_bomb(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * 100 + b"]" * 100,
        b'{"source": "' + b"[{" * 300_000 + b'"}',  # brackets in a text are none
        b'["' + b'\\"[' * 300_000 + b'"]',
        b'["' + b'\\\\"[' * 50 + b'"]',
    ],
)
def test_ordinary_notebooks_are_no_bombs(tmp_path, content):
    path = tmp_path / "steps.ipynb"
    path.write_bytes(content)
    assert notebook_bomb(path) is None


@pytest.mark.parametrize(
    "content", [b'"' * 5_000_000, b'\\"' * 2_500_000, b'"' + b'\\"' * 2_500_000, b'"' + b"\\" * 5_000_001]
)
def test_text_that_never_ends_costs_no_more_than_its_length(tmp_path, content):
    path = tmp_path / "steps.ipynb"
    path.write_bytes(content)
    began = time.perf_counter()
    assert notebook_bomb(path) is None
    assert time.perf_counter() - began < 5


def test_a_notebook_of_too_many_bytes_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_NOTEBOOK_BYTES", 10)
    path = tmp_path / "steps.ipynb"
    path.write_bytes(b"[]" * 6)
    assert notebook_bomb(path) == (
        "steps.ipynb holds more than 10 bytes; clear its outputs in JupyterLab, save it and hand it in again"
    )
