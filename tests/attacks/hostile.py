"""Hostile submissions: what a file in ``submissions/<layer>/`` says, and the folder that a student would hand in.

Each file is one attack. Its docstring says what it tries; it is Python that runs nothing, with these names:

    POINTS   what an honest grader gives for it
    HURTS    whether it could hurt the machine that runs it; then it runs in a sandbox only
    BOUNDS   what it takes at most, by its own will: processes, bytes, seconds
    FIRST    source of a code cell put before all others
    ANSWERS  source of answer cells, by their ids; what is not named stays as it was released
    AFTER    source of code cells put after the cell of an id
    FILES    text of files beside the notebook, by their names
    change   a function that changes the notebook, as a dict, or returns other text for its file
    beside   a function that is given the folder when all is written
    ASSIGNMENT  another than the small one of this folder

In sources and files, ``@COURSE@`` stands for the course's folder, ``@ROOT@`` for the repository's, ``@MARK@`` for a
file that only an attack would write, ``@TCP@``, ``@UDP@`` and ``@ABSTRACT@`` for where somebody listens on this
machine, ``@STUDENT@`` for who hands it in. An attack that got somewhere without better marks prints ``ESCAPED``.
"""

import importlib.util
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["HERE", "SMALL", "Attack", "attacks", "fill", "hand_in", "tags"]

HERE = Path(__file__).parent
SMALL = "attacks"
NOTEBOOKS = {SMALL: "steps", "01_tokenization": "bpe"}

# Before each line of an attack that could hurt: where it is root, or sees the grader's files, it must not go on.
GUARD = """\
import os as _os
if _os.getuid() == 0 or _os.path.exists("@COURSE@"):
    print("ESC" "APED: this is no sandbox")
    raise SystemExit
"""


@dataclass(frozen=True)
class Attack:
    """One file of ``submissions/``."""

    layer: str
    name: str
    module: ModuleType

    @property
    def student(self) -> str:
        """Who hands it in."""
        return f"{self.layer}-{self.name}"

    @property
    def points(self) -> float:
        """What it is worth."""
        return self.module.POINTS

    @property
    def hurts(self) -> bool:
        """Whether it runs in a sandbox only."""
        return self.module.HURTS

    @property
    def assignment(self) -> str:
        """To which it is an answer."""
        return getattr(self.module, "ASSIGNMENT", SMALL)

    @property
    def tries(self) -> str:
        """What it tries, in a line."""
        return (self.module.__doc__ or "").splitlines()[0]


def attacks() -> list[Attack]:
    """Return all attacks, by layer and name."""
    return [Attack(path.parent.name, path.stem, _load(path)) for path in sorted((HERE / "submissions").glob("*/*.py"))]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"attack_{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fill(released: dict[str, Any], answers: dict[str, str]) -> dict[str, Any]:
    """Return a released notebook with some answers filled in."""
    notebook = deepcopy(released)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(_grade_id(cell), cell["source"])
    return notebook


def hand_in(attack: Attack, course: Path, places: dict[str, str]) -> Path:
    """Write the folder of an attack.

    Args:
        attack: What to write.
        course: A course in which its assignment is released.
        places: What stands for ``@TCP@`` and the like.

    Returns:
        The folder.
    """
    places = {**places, "COURSE": str(course), "STUDENT": attack.student, "MARK": f"{places['MARKS']}/{attack.student}"}
    module, name = attack.module, NOTEBOOKS[attack.assignment]
    guard = GUARD if attack.hurts else ""
    released = json.loads((course / "release" / attack.assignment / f"{name}.ipynb").read_text())
    notebook = fill(released, {key: guard + text for key, text in getattr(module, "ANSWERS", {}).items()})
    notebook["cells"] = list(_with_added(notebook["cells"], module, guard))
    text = module.change(notebook) if hasattr(module, "change") else None
    folder = course / "submitted" / attack.student / attack.assignment
    folder.mkdir(parents=True)
    files = {f"{name}.ipynb": text or json.dumps(notebook), **getattr(module, "FILES", {})}
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_filled(content, places).encode(errors="surrogatepass"))
    if hasattr(module, "beside"):
        module.beside(folder)
    return folder


def _with_added(cells: list[dict[str, Any]], module: ModuleType, guard: str) -> Iterator[dict[str, Any]]:
    if hasattr(module, "FIRST"):
        yield _code(guard + module.FIRST)
    after = getattr(module, "AFTER", {})
    for cell in cells:
        yield cell
        if (source := after.get(_grade_id(cell))) is not None:
            yield _code(guard + source)


def _grade_id(cell: dict[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _filled(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def tags(text: str) -> set[str]:
    """Return what of the secrets stands in outputs, and whether an attack says that it got somewhere."""
    return {name for name, secret in SECRETS.items() if secret in text}


# They stand where an attack must not be able to read: in solutions, hidden tests, others' answers, the environment.
SECRETS = {
    "escaped": "ESC" "APED",
    "solution": "91bd-" "solution",
    "hidden test": "5f1c-" "hidden",
    "another's answer": "77aa-" "neighbour",
    "environment": "c0de-" "environment",
}  # fmt: skip
