"""The journal of a sweep: a line for each finished run, on the disk at once.

A sweep takes long and may be stopped by anything. What is finished is never lost and never done again: a line is
written by one call and synchronised before the next run is looked at. A line that was cut off by a crash, the last one,
is dropped when the file is opened again, and that run starts anew.
"""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from llmcourse.sweeps.sweep import Settings, canonical

__all__ = ["Journal"]

Record = dict[str, Any]  # settings, results, seconds


class Journal:
    r"""A JSON-lines file: a header that says which sweep it belongs to, and a record for each finished run.

    Attributes:
        records: The finished runs, those of earlier times first.

    Args:
        path: The file; it is made if there is none, in a folder that exists.
        header: What has to be equal for runs to stand in one file.

    Raises:
        ValueError: The file belongs to a sweep with other settings, is no journal, or another process writes to it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Journal(Path(folder, "j.jsonl"), {"hash": "1"}) as journal:
        ...         journal.append({"seed": 0}, {"loss": 2.5}, seconds=1.0)
        ...     with Journal(Path(folder, "j.jsonl"), {"hash": "1"}) as journal:
        ...         journal.done({"seed": 0}), journal.done({"seed": 1})
        (True, False)
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path, self._header = path, header
        self.records: list[Record] = []
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise ValueError(f"cannot write {str(path)!r}: {error.strerror}") from error
        try:
            self._lock()
            self._read()
        except BaseException:
            os.close(self._file)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(
                f"another process writes to {str(self.path)!r}: let it end, or give another file"
            ) from error

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if not whole and not canonical(self._header).encode().startswith(content):
            raise ValueError(f"{str(self.path)!r} is no journal of a sweep ({content[:40]!r}): give another file")
        if len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        if not whole:
            self._write(self._header)
            return
        try:
            header, *records = [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            raise ValueError(f"{str(self.path)!r} is no journal of a sweep ({error}): give another file") from error
        if canonical(header) != canonical(self._header):
            raise ValueError(
                f"{str(self.path)!r} was made by {canonical(header)}, and this is {canonical(self._header)}: "
                "give another file, or remove that one"
            )
        self.records = records

    def done(self, settings: Settings) -> bool:
        """Return whether a run is finished.

        Args:
            settings: The run's.

        Returns:
            True if its results are in the file.
        """
        return canonical(settings) in {canonical(record["settings"]) for record in self.records}

    def append(self, settings: Settings, results: dict[str, Any], *, seconds: float) -> None:
        """Write a finished run; when this returns, it is on the disk.

        Args:
            settings: The run's.
            results: What it found.
            seconds: How long it took.

        Raises:
            ValueError: A result is no JSON value: NaN or infinity, for instance.
        """
        record = {"settings": settings, "results": results, "seconds": seconds}
        self._write(record)
        self.records.append(record)

    def _write(self, value: object) -> None:
        os.write(self._file, canonical(value).encode() + b"\n")
        os.fsync(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
