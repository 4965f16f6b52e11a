"""What a benchmark found: each measurement's times, ratio and memory, as a table and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from llmcourse.runtime.timing import ratio_of

__all__ = ["Comparison", "as_table", "write_json"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One thing measured twice: by this package and by another.

    Args:
        what: What was done.
        corpus: To which text.
        size_bytes: How much of it, in UTF-8.
        vocab_size: With how many tokens.
        other: The other package and how it was called.
        threads: How many threads the other was allowed; this package uses one.
        ours_s: Seconds in each round.
        theirs_s: The same of the other.
        ours_bytes: The memory that doing it once took at its peak beyond what was in use before.
        theirs_bytes: The same of the other.
        equal: Whether both gave the same result.
    """

    what: str
    corpus: str
    size_bytes: int
    vocab_size: int
    other: str
    threads: int
    ours_s: list[float]
    theirs_s: list[float]
    ours_bytes: int
    theirs_bytes: int
    equal: bool

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long the other took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


_COLUMNS = ("what", "corpus", "MB", "vocabulary", "other", "threads", "ours s", "other s", "ratio", "peak MiB", "equal")


def as_table(comparisons: Sequence[Comparison]) -> str:
    """Return a plain table.

    Args:
        comparisons: What was found.

    Returns:
        A line of names, then one for each comparison: seconds and ratios as the median with the least and the most.
    """
    rows = [_COLUMNS, *map(_cells, comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _cells(one: Comparison) -> tuple[str, ...]:
    ratio = one.ratio
    return (
        one.what,
        one.corpus,
        f"{one.size_bytes / 1e6:.3g}",
        f"{one.vocab_size}",
        one.other,
        f"{one.threads}",
        _spread(one.ours_s),
        _spread(one.theirs_s),
        f"{ratio['median']:.1f} [{ratio['min']:.1f}-{ratio['max']:.1f}]",
        f"{one.ours_bytes / 2**20:.0f} and {one.theirs_bytes / 2**20:.0f}",
        "yes" if one.equal else "NO",
    )


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.3f} [{min(seconds):.2f}-{max(seconds):.2f}]"


def write_json(path: Path, comparisons: Sequence[Comparison], **about: object) -> None:
    """Write comparisons, and what else there is to say, to a file.

    Args:
        path: Where to; its folder must exist.
        comparisons: What was found.
        **about: The machine and the versions.

    Raises:
        ValueError: The file cannot be written there.
    """
    rows = [asdict(one) | {"ratio": one.ratio} for one in comparisons]
    try:
        path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")
    except OSError as error:
        raise ValueError(f"cannot write {str(path)!r}: {error.strerror}") from error
