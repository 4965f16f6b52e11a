"""nbgrader's ``Autograde`` in two halves: what takes time, for workers, and what changes the gradebook, for one writer.

Everything else is nbgrader's own. The first half is what the configuration names in
``Autograde.autograde_preprocessors`` before ``SaveAutoGrades``, which therefore must not write to the gradebook, and
``CheckCellMetadata``, which only looks. Both halves one after the other do what ``nbgrader autograde`` does in one go.
"""

from itertools import compress
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde
from nbgrader.preprocessors import CheckCellMetadata, SaveAutoGrades
from nbgrader.utils import setenv
from traitlets.utils.importstring import import_item

__all__ = ["Executing", "Marking"]


def _split(converter: Autograde) -> tuple[list[Any], list[Any]]:
    """Return the preprocessors for workers, and those for the writer."""
    entries: list[Any] = list(converter.autograde_preprocessors)  # pyright: ignore[reportArgumentType]  # a trait
    kinds = [import_item(entry) if isinstance(entry, str) else entry for entry in entries]
    first = next((i for i, kind in enumerate(kinds) if _is(kind, SaveAutoGrades)), len(kinds))
    for_workers = [i < first or _is(kind, CheckCellMetadata) for i, kind in enumerate(kinds)]
    return list(compress(entries, for_workers)), list(compress(entries, (not word for word in for_workers)))


def _is(entry: Any, kind: type) -> bool:
    return isinstance(entry, type) and issubclass(entry, kind)


class Executing(Autograde):
    """Clean submitted notebooks and run them, and leave marks alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.autograde_preprocessors, _ = _split(self)

    def run_post_convert_hook(self) -> None:
        """Leave the course's hook to :class:`Marking`: nothing is graded yet."""


class Marking(Autograde):
    """Store notebooks that :class:`Executing` ran elsewhere, and the marks that they earn.

    Args:
        executed: The text of each notebook by its name.
        **kwargs: Of ``Autograde``.
    """

    def __init__(self, *, executed: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _, self.autograde_preprocessors = _split(self)
        self._executed = executed

    def run_pre_convert_hook(self) -> None:
        """Do not run the course's hook a second time."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare the gradebook and the folder as nbgrader does, for the notebooks that were run.

        Args:
            assignment_id: The assignment.
            student_id: The student.
        """
        super().init_assignment(assignment_id, student_id)
        # What was handed in after the run began is graded by the next run.
        self.notebooks = [path for path in self.notebooks if Path(path).stem in self._executed]

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Do the second half of ``Autograde.convert_single_notebook``.

        Args:
            notebook_filename: The submitted notebook.
        """
        submitted = Path(notebook_filename)
        resources = self.init_single_notebook_resources(notebook_filename)["nbgrader"]
        executed = Path(self._format_dest(resources["assignment"], resources["student"])) / submitted.name
        executed.parent.mkdir(parents=True, exist_ok=True)
        executed.write_text(self._executed[submitted.stem], encoding="utf-8")
        self._sanitizing = False
        self._init_preprocessors()
        try:
            with setenv(NBGRADER_EXECUTION="autograde"):
                super(Autograde, self).convert_single_notebook(str(executed))
        finally:
            self._sanitizing = True
