"""What a submission may use: from the assignment's notebook, else from the course's configuration, else a default.

In the instructor's notebook they stand in its metadata (JupyterLab: Property Inspector, Advanced Tools, Notebook
metadata), for the course in ``nbgrader_config.py``::

    {"llmcourse": {"limits": {"cell_s": 10, "memory_bytes": 1000000000}}}
    c.JudgedExecute.limits = {"cell_s": 10}

A student's notebook cannot change them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from llmcourse.sandbox import Limits

__all__ = ["SubmissionLimits"]

# The watcher, the namespace's first process, and the threads of Jupyter's kernel.
_PROCESSES_OF_KERNEL = 12


@dataclass(frozen=True, kw_only=True)
class SubmissionLimits:
    """What one notebook of a submission may use.

    Attributes:
        cell_s: Seconds for one cell, and for all that a test cell asks of the student's code.
        total_s: Seconds for the whole notebook.
        cpu_s: Seconds of CPU time for the whole notebook.
        memory_bytes: Memory beyond what the kernel has at its start.
        output_bytes: Outputs of one cell; what is beyond is cut.
        processes: Processes and threads that the code starts, at one time.
        file_bytes: Size of one file.

    Example:
        >>> SubmissionLimits.of({"cell_s": 5}).cell_s
        5
        >>> SubmissionLimits.of({"cells_s": 5})
        Traceback (most recent call last):
        ...
        ValueError: 'cells_s' is no limit; there are: cell_s, total_s, cpu_s, memory_bytes, output_bytes, processes, \
file_bytes
    """

    cell_s: float = 60
    total_s: float = 300
    cpu_s: float = 300
    memory_bytes: int = 2 << 30
    output_bytes: int = 1 << 20
    processes: int = 64
    file_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        """Refuse what no notebook could run under."""
        self.of_process()  # which checks what it shares with this
        for name in ("cell_s", "output_bytes"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**62:
                raise ValueError(f"{name}={value!r} is no limit to run under: give a number above 0")

    @classmethod
    def of(cls, *given: Mapping[str, Any]) -> "SubmissionLimits":
        """Return the limits that some mappings give, a later one before an earlier one.

        Args:
            *given: From a configuration or a notebook's metadata.

        Returns:
            The limits, with defaults for what none gives.

        Raises:
            ValueError: One gives what is no limit, or a value to which nothing can be held.
        """
        known = [field.name for field in fields(cls)]
        merged = {name: value for mapping in given for name, value in mapping.items()}
        if unknown := [name for name in merged if name not in known]:
            raise ValueError(f"{unknown[0]!r} is no limit; there are: {', '.join(known)}")
        return cls(**merged)

    def of_process(self) -> Limits:
        """Return what of it the sandbox enforces."""
        return Limits(
            wall_s=self.total_s,
            cpu_s=self.cpu_s,
            memory_bytes=self.memory_bytes,
            processes=self.processes + _PROCESSES_OF_KERNEL if type(self.processes) is int else self.processes,
            file_bytes=self.file_bytes,
        )

    def describe(self, name: str) -> str:
        """Return what was hit, in words for the student.

        Args:
            name: A limit of the sandbox: ``wall``, ``cpu`` or ``memory``.

        Returns:
            A sentence without a full stop.
        """
        return {
            "wall": f"the notebook ran longer than {self.total_s:g} s in all",
            "cpu": f"the notebook used more than {self.cpu_s:g} s of CPU time",
            "memory": f"the notebook used more than {self.memory_bytes / 1e6:,.0f} MB of memory",
        }.get(name, "")
