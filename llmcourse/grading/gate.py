"""The gate before ``nbgrader autograde``: submissions that must not be copied or read are left out, and said to be.

nbgrader's ``Autograde`` copies a submitted folder before its first preprocessor runs, and swallows what its
``pre_convert_hook`` raises. What it does let a course configure is the exporter, which it makes once a run: after it
has listed the submissions, before it touches the first. Named as ``c.Autograde.exporter_class``, :class:`Gate` takes
what :mod:`~llmcourse.grading.intake` refuses off that list, with the reason in the log; then it is nbconvert's own
exporter.

Where nothing is left, as when formgrader's button grades one submission, the run fails with the reason. Where others
are left, plain ``nbgrader autograde`` grades them, and only its log names those it left out; ``llmcourse grade`` also
puts them into its table and marks them for a person.
"""

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters.base import NbGraderException

from llmcourse.grading.intake import notebook_bomb, unsafe

__all__ = ["Gate"]


class Gate(NotebookExporter):
    """nbconvert's notebook exporter, which first strikes unsafe submissions off its converter's list.

    Args:
        **settings: As for ``NotebookExporter``; ``parent`` is nbgrader's converter.

    Raises:
        NbGraderException: No submission is left.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        assignments = getattr(self.parent, "assignments", {})
        refused = {folder: why for folder, notebooks in assignments.items() if (why := _refused(folder, notebooks))}
        for folder, why in refused.items():
            self.log.error("Not graded: %s: %s", folder, why)
            del assignments[folder]
        if refused and not assignments:
            raise NbGraderException(next(iter(refused.values())))


def _refused(folder: str, notebooks: list[str]) -> str | None:
    reasons = (notebook_bomb(Path(notebook)) for notebook in notebooks)
    return unsafe(Path(folder)) or next((reason for reason in reasons if reason), None)
