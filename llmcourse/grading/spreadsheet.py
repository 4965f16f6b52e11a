"""Tables as CSV that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["inert", "write_table"]

# What a spreadsheet takes for the beginning of a formula, also in its full-width form.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert(value: object) -> object:
    """Return a cell's value; text that a spreadsheet would take for a formula gets an apostrophe before it.

    Args:
        value: Text, a number, a time, or None.

    Returns:
        The value, empty for None.

    Example:
        >>> inert("=SUM(A1)"), inert(-1.5), inert(None)
        ("'=SUM(A1)", -1.5, '')
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table in UTF-8, replacing what the file held.

    Args:
        path: The file.
        header: Names of the columns.
        rows: Values in the order of the header.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([inert(name) for name in header])
    writer.writerows([inert(value) for value in row] for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
