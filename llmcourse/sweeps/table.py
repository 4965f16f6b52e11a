"""The table of a finished sweep: its rows, and all that is needed to make it again."""

import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np

from llmcourse.runtime.timing import machine
from llmcourse.sweeps.journal import Journal
from llmcourse.sweeps.sweep import Sweep, canonical
from llmcourse.tokenization.atomic_write import write_whole

__all__ = ["SweepTable", "load_table", "write_table"]


@dataclass(frozen=True)
class SweepTable:
    r"""The results of a sweep.

    Attributes:
        about: The command that made it, the sweep's name, size and hash, versions, and the machine.
        rows: For each run its settings, its results and its ``seconds``, in one dict.

    Example:
        >>> table = SweepTable({}, [{"d": 8, "loss": 2.0}, {"d": 16, "loss": 1.5}, {"d": 16, "loss": 1.7}])
        >>> table.where(d=16).column("loss")
        array([1.5, 1.7])
    """

    about: dict[str, Any]
    rows: list[dict[str, Any]]

    def where(self, **values: object) -> Self:
        """Return the rows that have these values.

        Args:
            **values: What a row has to hold.

        Returns:
            A table with the same ``about``.
        """
        kept = [row for row in self.rows if all(row.get(name) == value for name, value in values.items())]
        return type(self)(self.about, kept)

    def column(self, name: str) -> np.ndarray:
        """Return one value of each row.

        Args:
            name: Of a setting or a result.

        Returns:
            An array in the order of the rows.

        Raises:
            ValueError: A row has no such value.
        """
        missing = next((row for row in self.rows if name not in row), None)
        if missing is not None:
            raise ValueError(f"there is no column {name!r}: a row has {', '.join(missing)}")
        return np.array([row[name] for row in self.rows])


def write_table(sweep: Sweep, journal: Journal, path: Path, *, size: str, command: str, device: str) -> None:
    r"""Write the table of a finished sweep, whole or not at all.

    Args:
        sweep: The sweep.
        journal: Its finished runs; all of them.
        path: Where to.
        size: The preset.
        command: What a reader has to type to make it again.
        device: What it ran on.

    Raises:
        ValueError: A run is missing.
    """
    found = {canonical(record["settings"]): record for record in journal.records}
    runs = sweep.runs(size)
    missing = [settings for settings in runs if canonical(settings) not in found]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(runs)} runs are not finished, {missing[0]} for instance: run them first"
        )
    about = {
        "command": command,
        "sweep": sweep.name,
        "size": size,
        "hash": sweep.hash(size),
        "device": device,
        "seeds": sorted({settings["seed"] for settings in runs if "seed" in settings}),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in ("torch", "numpy")},
        "machine": machine(),
    }
    # The journal sorts keys; here settings stand first and in their own order.
    lines = [json.dumps({"settings": settings} | _rest(found[canonical(settings)])) for settings in runs]
    text = f'{{"about": {json.dumps(about)},\n"runs": [\n' + ",\n".join(lines) + "\n]}\n"
    write_whole(path, text.encode())


def load_table(name: str) -> SweepTable:
    r"""Return the table of a sweep as it comes with the course.

    Args:
        name: One of ``llmcourse.sweeps.NAMES``.

    Returns:
        The results, and how they were made.

    Raises:
        ValueError: There is no such table.

    Example:
        >>> load_table("scaling").about["command"]
        'llmcourse sweep scaling --size cpu --device cpu'
    """
    folder = files("llmcourse.sweeps")
    names = sorted(path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json"))
    if name not in names:
        raise ValueError(f"there is no table {name!r}: choose {' or '.join(names)}")
    return read_table(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))


def read_table(text: str) -> SweepTable:
    """Return a table from the text of its file.

    Args:
        text: As :func:`write_table` writes it.

    Returns:
        The table.
    """
    found = json.loads(text)
    return SweepTable(found["about"], [_row(record) for record in found["runs"]])


def _rest(record: dict[str, Any]) -> dict[str, Any]:
    return {"results": record["results"], "seconds": record["seconds"]}


def _row(record: dict[str, Any]) -> dict[str, Any]:
    return record["settings"] | record["results"] | {"seconds": record["seconds"]}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
