"""The judge's end: binds the names that the solution defines to the student's objects, and trusts none of them."""

import contextlib
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from llmcourse.grading.border import records
from llmcourse.grading.border.endpoint import Endpoint
from llmcourse.grading.border.limits import Limits
from llmcourse.grading.border.solution_names import SolutionName
from llmcourse.grading.border.wire import Channel, write_frame

__all__ = ["Judge"]

_WORD = re.compile(r"[^\W\d]\w*")


class Judge(Endpoint):
    """One submission, as tests see it.

    ``namespace`` is where test cells run: the judge's own imports and helpers, and proxies of the student's objects.
    Solutions are made known with :meth:`define` in the order of the notebook; a name that a cell of the judge's
    assigns afterwards is the judge's again. ``mutating`` fills with the functions that changed their arguments in
    place; with ``may_mutate`` set, no others may.

    Args:
        channel: To the student's process.
        limits: What is accepted of it.
        interrupt: Called when a call runs out of time; should stop it as Ctrl-C does.
        may_mutate: The functions that may change their arguments in place; None for all.
    """

    def __init__(
        self,
        channel: Channel,
        limits: Limits | None = None,
        *,
        interrupt: Callable[[], None] | None = None,
        may_mutate: frozenset[str] | None = None,
    ) -> None:
        super().__init__(channel, {"__name__": "__main__", "display": print}, limits, interrupt=interrupt)
        self.may_mutate = may_mutate
        self.solution: dict[str, SolutionName] = {}
        self._students: set[str] = set()
        self._used: set[str] = set()
        self._bound: dict[str, Any] = {}

    def define(self, names: Mapping[str, SolutionName]) -> None:
        """Take note of what a solution cell defines, when the student's version of that cell has run.

        What it imports is imported here too: a module is trusted here, and needs no border.
        """
        for name, found in names.items():
            if found.kind == "import":
                with contextlib.suppress(ImportError):
                    exec(found.statement, self.namespace)
                continue
            self.solution[name] = found
            self._students.add(name)
        self.declared = {name for name, found in self.solution.items() if found.kind == "class"}

    def bind(self, source: str) -> None:
        """Bind the student's names that a cell, or one before it, mentions to what they are now.

        Args:
            source: The cell that is about to run.
        """
        self._used.update(_WORD.findall(source))  # strings and comments too: to parse it all takes longer
        names = sorted(self._students & self._used)
        if not self.solution:
            return
        own = {name for name, value in self.namespace.items() if records.is_record_class(value)} - self._students
        self.records = {name: self.namespace[name] for name in own}
        found = self.request("your names", "names", (names, sorted(self.declared), sorted(own)))
        for name in names:
            self.namespace.pop(name, None)
            if type(found) is dict and name in found:
                self.namespace[name] = found[name]
        self._bound = {name: self.namespace.get(name) for name in names}

    def unbind(self) -> None:
        """Take back the names that the cell which has just run assigned itself."""
        for name, value in self._bound.items():
            if self.namespace.get(name) is not value:
                self._students.discard(name)
        self._bound = {}

    def leave(self) -> None:
        """Let the student's process go on with its own cells; the next request needs it to serve again."""
        if not self.broken:
            with contextlib.suppress(OSError):
                write_frame(self._channel, {"v": "leave"}, [], self._until())

    def may_ask(self, declared: str | None, operation: str) -> bool:
        """Return whether the solution's class defines the operation; other objects are asked for no comparison."""
        found = self.solution.get(declared or "")
        if found is None:
            return False
        if not operation.startswith("__"):
            return True
        plain_name = "__" + operation.strip("_").removeprefix("r").removeprefix("i") + "__"
        return found.open_ended or operation in found.operators or plain_name in found.operators

    def fields_of(self, declared: str | None) -> tuple[str, ...] | None:
        """Return the fields of a dataclass of the solution: they are compared here, not by the student's ``__eq__``."""
        found = self.solution.get(declared or "")
        return None if found is None else found.fields

    def _output(self, output: Any) -> None:
        """Print what the student's code printed, within the limit, as if it had printed here."""
        streams = {"stdout": sys.stdout, "stderr": sys.stderr}
        for item in output if type(output) is list else ():
            if type(item) is list and len(item) == 2 and item[0] in ("stdout", "stderr") and type(item[1]) is str:
                streams[item[0]].write(item[1][: self.limits.output_chars])
