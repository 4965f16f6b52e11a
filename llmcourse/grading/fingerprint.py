"""What a function's result depends on, as a hash: whether the last check of a function still says something.

A function depends on its own cells, on the cells that define the names which these use, and so on, and on every cell of
the student's own above its last test, since that may do anything: seed, import, replace. Outputs, text cells and
other functions do not count. A function that is called by a name made at run time is not seen.
"""

import hashlib
import json
from collections.abc import Sequence

from nbformat import NotebookNode

from llmcourse.grading.border.solution_names import names_of, plain, read_names
from llmcourse.grading.exercise import Part

__all__ = ["fingerprints"]


def fingerprints(notebook: NotebookNode, parts: Sequence[Part]) -> list[str]:
    """Return a hash for each function of a notebook; one that stays the same gives the same result again.

    Args:
        notebook: A student's notebook.
        parts: Its functions.

    Returns:
        The hashes, in the order of ``parts``.
    """
    sources = {
        i: cell.source for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()
    }
    defined = {index: _defined(source) for index, source in sources.items()}
    tests = {index for part in parts for index in part.tests}
    answers = {index for part in parts for index in part.answers}
    found = []
    for part in parts:
        above = [index for index in sources if index < max(part.tests) and index not in tests]
        reached = {index for index in (*part.answers, *part.tests) if index in sources}
        waiting = list(reached)
        while waiting:
            names = read_names(plain(sources[waiting.pop()]))
            new = {index for index in above if index not in reached and defined[index] & names}
            reached |= new
            waiting += new
        reached |= {index for index in above if index not in answers}
        said = json.dumps([sources[index] for index in sorted(reached)])
        found.append(hashlib.sha256(said.encode()).hexdigest())
    return found


def _defined(source: str) -> set[str]:
    try:
        return set(names_of(source))
    except (SyntaxError, ValueError):
        return set()
