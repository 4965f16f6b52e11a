"""Where attacks are met: a course with honest students, somebody who listens, and what became of each submission."""

import json
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from hostile import HERE, NOTEBOOKS, SMALL, Attack, fill, tags

__all__ = ["HONEST", "ROOT", "Canaries", "honest", "honest_answers", "make_course", "marks", "told"]

ROOT = HERE.parents[1]
# Who answers all, and the first two, before, among and after the attackers; they are graded in this order.
HONEST = {"00-honest": 11, "00-half": 5, "nn-honest": 11, "zz-honest": 11, "zz-half": 5}
BPE = "01_tokenization"


def make_course(folder: Path) -> Path:
    """Write a course of the small assignment and of the course's first exercise, with the real configuration.

    Args:
        folder: Where; it is made.

    Returns:
        The folder.
    """
    for source in (HERE / "assignment" / "steps.ipynb", ROOT / "solutions" / BPE / "bpe.ipynb"):
        assignment = folder / "solutions" / (SMALL if source.parent.name == "assignment" else BPE)
        assignment.mkdir(parents=True)
        shutil.copy(source, assignment)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


def honest_answers() -> dict[str, str]:
    """Return the solutions of the small assignment, each with a word that only a thief would show."""
    source = json.loads((HERE / "assignment" / "steps.ipynb").read_text())
    marked = [cell for cell in source["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    kept = {cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"]) for cell in marked}
    own = {name: text.replace("  # 91bd-solution", "") for name, text in kept.items()}
    return {name: f"# 77aa-neighbour\n{text}" for name, text in own.items()}


def honest(course: Path) -> None:
    """Hand in what the honest students answer."""
    released = json.loads((course / "release" / SMALL / "steps.ipynb").read_text())
    for student, points in HONEST.items():
        answers = honest_answers()
        if points < 11:
            answers = {name: answers[name] for name in ("add_one", "norm")}
        path = course / "submitted" / student / SMALL / "steps.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(fill(released, answers)))


class Canaries:
    """Somebody who listens on loopback, and a folder in which only attacks would write; a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._tcp = socket.create_server(("127.0.0.1", 0), backlog=500)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._abstract = socket.socket(socket.AF_UNIX)
        self._name = f"llmcourse-attacks-{os.getpid()}-{self._tcp.getsockname()[1]}"
        self._abstract.bind(f"\0{self._name}")
        self._abstract.listen(500)
        self._sockets = (self._tcp, self._udp, self._abstract)

    def __enter__(self) -> "Canaries":
        for found in self._sockets:
            found.setblocking(False)
        return self

    def __exit__(self, *_: object) -> None:
        for found in self._sockets:
            found.close()

    @property
    def places(self) -> dict[str, str]:
        """What stands in attacks for where these are."""
        return {
            "ROOT": str(ROOT),
            "MARKS": str(self.folder),
            "TCP": str(self._tcp.getsockname()[1]),
            "UDP": str(self._udp.getsockname()[1]),
            "ABSTRACT": self._name,
        }

    def heard(self) -> str:
        """Return all that arrived since this was last asked, and the names of the files that were written."""
        found = [path.name for path in sorted(self.folder.iterdir())]
        for path in self.folder.iterdir():
            path.unlink()
        return " ".join([*found, *self._arrived()])

    def _arrived(self) -> Iterator[str]:
        for listener in (self._tcp, self._abstract):
            while True:
                try:
                    connection, _ = listener.accept()
                except BlockingIOError:
                    break
                with connection:
                    connection.settimeout(1)
                    try:
                        yield connection.recv(1_000).decode(errors="replace") or "somebody"
                    except OSError:
                        yield "somebody"
        while True:
            try:
                yield repr(self._udp.recv(1_000))
            except BlockingIOError:
                break


def marks(course: Path) -> dict[tuple[str, str], float]:
    """Return the points of each submission, by student and assignment, from the gradebook as nbgrader adds them up."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "llmcourse") as gradebook:
        return {
            (submission.student.id, name): submission.score
            for name in NOTEBOOKS
            if name in {assignment.name for assignment in gradebook.assignments}
            for submission in gradebook.assignment_submissions(name)
        }


def told(course: Path, attack: Attack) -> set[str]:
    """Return what an attack's outputs tell that they must not."""
    path = course / "autograded" / attack.student / attack.assignment / f"{NOTEBOOKS[attack.assignment]}.ipynb"
    if not path.is_file():
        return set()
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return tags(json.dumps([cell.get("outputs") for cell in cells]))


def triggers(course: Path) -> list[Any]:
    """Return what an attack left in the gradebook to run later."""
    with closing(sqlite3.connect(course / "gradebook.db")) as database:
        return database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()


def llmcourse(*arguments: str) -> list[str]:
    """Return the command that runs a verb."""
    return [sys.executable, "-c", "from llmcourse.cli import app; app()", *arguments]
