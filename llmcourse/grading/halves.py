"""nbgrader's ``Autograde`` in two halves: what takes time, for workers, and what changes the gradebook, for one writer.

Everything else is nbgrader's own. The first half is what the configuration names in
``Autograde.autograde_preprocessors`` before ``SaveAutoGrades``, which therefore must not write to the gradebook, and
``CheckCellMetadata``, which only looks. Both halves one after the other do what ``nbgrader autograde`` does in one go.
"""

import shutil
from collections.abc import Collection
from itertools import compress
from pathlib import Path
from typing import Any, cast

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import CheckCellMetadata, SaveAutoGrades
from nbgrader.utils import find_all_files, setenv
from traitlets.utils.importstring import import_item

from llmcourse.grading.exercise import read_notebook
from llmcourse.grading.marks import SaveMarks

__all__ = ["Executing", "Marking"]


def _split(converter: Autograde) -> tuple[list[Any], list[Any]]:
    """Return the preprocessors for workers, and those for the writer."""
    entries: list[Any] = list(converter.autograde_preprocessors)  # pyright: ignore[reportArgumentType]  # a trait
    kinds = [import_item(entry) if isinstance(entry, str) else entry for entry in entries]
    first = next((i for i, kind in enumerate(kinds) if _is(kind, SaveAutoGrades)), len(kinds))
    for_workers = [i < first or _is(kind, CheckCellMetadata) for i, kind in enumerate(kinds)]
    # a subclass of the instructor's own is left as it is
    entries = [SaveMarks if kind is SaveAutoGrades else entry for entry, kind in zip(entries, kinds, strict=True)]
    return list(compress(entries, for_workers)), list(compress(entries, (not word for word in for_workers)))


def _is(entry: Any, kind: type) -> bool:
    return isinstance(entry, type) and issubclass(entry, kind)


class Executing(Autograde):
    """Clean submitted notebooks and run them, all in memory; leave marks and the gradebook alone.

    nbgrader writes each notebook out between the two steps, and copies and validates it around each preprocessor, which
    takes longer than running most. Here the notebook is validated as it is read and when all is done.

    Args:
        expected: The names of the assignment's notebooks; others are passed over.
        executed: Is given each notebook that was run, by its name.
        **kwargs: Of ``Autograde``.
    """

    def __init__(self, *, expected: Collection[str], executed: dict[str, NotebookNode], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.autograde_preprocessors, _ = _split(self)
        self._expected, self._executed = expected, executed

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy what stands beside the notebooks, the course's own files over the student's.

        Args:
            assignment_id: The assignment.
            student_id: The student.

        Raises:
            NbGraderException: No notebook of the assignment was handed in.
        """
        super(Autograde, self).init_assignment(assignment_id, student_id)
        course: Any = self.coursedir
        source = Path(course.format_path(course.source_directory, ".", assignment_id))
        target = Path(self._format_dest(assignment_id, student_id))
        for name in find_all_files(str(source), [*course.ignore, "*.ipynb"]):
            path = Path(name).relative_to(source)
            if str(path) not in self.exclude_overwriting.get(assignment_id, ()):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).unlink(missing_ok=True)
                shutil.copy(name, target / path)
        self.notebooks = [path for path in self.notebooks if Path(path).stem in self._expected]
        if not self.notebooks:
            raise NbGraderException(f"none of the notebooks is one of the assignment's: {', '.join(self._expected)}")

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Do what ``Autograde.convert_single_notebook`` does up to the marks.

        Args:
            notebook_filename: The submitted notebook.
        """
        path = Path(notebook_filename)
        resources: Any = self.init_single_notebook_resources(notebook_filename)
        notebook = read_notebook(path)
        self._sanitizing = True
        notebook, resources = _through(self, notebook, resources, path)
        self._sanitizing = False
        try:
            known = resources["nbgrader"]
            path = Path(self._format_dest(known["assignment"], known["student"])) / path.name
            with setenv(NBGRADER_EXECUTION="autograde"):
                notebook, _ = _through(self, notebook, resources, path)
        finally:
            self._sanitizing = True
        nbformat.validate(notebook, relax_add_props=True)
        self._executed[path.stem] = notebook

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
        resources: Any = self.init_single_notebook_resources(notebook_filename)
        known = resources["nbgrader"]
        path = Path(self._format_dest(known["assignment"], known["student"])) / submitted.name
        text = self._executed[submitted.stem]
        before, notebook = _parsed(text), _parsed(text)
        self._sanitizing = False
        try:
            with setenv(NBGRADER_EXECUTION="autograde"):
                notebook, _ = _through(self, notebook, resources, path)
        finally:
            self._sanitizing = True
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if notebook == before else nbformat.writes(notebook), encoding="utf-8")


def _parsed(text: str) -> NotebookNode:
    """Return a notebook that was written here, and so needs no validation."""
    return cast(NotebookNode, nbformat.v4.reads_json(text))


def _through(converter: Autograde, notebook: NotebookNode, resources: Any, path: Path) -> tuple[NotebookNode, Any]:
    """Lead a notebook through the preprocessors whose turn it is."""
    resources["metadata"] = ResourcesDict(name=path.stem, path=str(path.parent))
    converter._init_preprocessors()
    for preprocessor in converter.exporter._preprocessors:
        notebook, resources = preprocessor(notebook, resources)
    return notebook, resources
