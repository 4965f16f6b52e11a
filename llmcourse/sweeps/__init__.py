"""Sweeps: named grids of runs, made by ``llmcourse sweep NAME``, whose tables come with the course."""

from llmcourse.sweeps.journal import Journal
from llmcourse.sweeps.runner import header_of, run_sweep
from llmcourse.sweeps.sweep import Sweep
from llmcourse.sweeps.table import SweepTable, load_table, write_table

__all__ = [
    "NAMES",
    "Journal",
    "Sweep",
    "SweepTable",
    "find_sweep",
    "header_of",
    "load_table",
    "run_sweep",
    "write_table",
]

NAMES = ("alignment", "architecture", "data_quality", "quantization", "scaling", "stability")


def find_sweep(name: str) -> Sweep:
    r"""Return a sweep by name.

    Args:
        name: One of ``NAMES``.

    Returns:
        The sweep.

    Raises:
        ValueError: There is no such sweep.

    Example:
        >>> len(find_sweep("scaling").runs("cpu"))
        30
    """
    from importlib import import_module

    if name not in NAMES:
        raise ValueError(f"there is no sweep {name!r}: choose {' or '.join(NAMES)}")
    return getattr(import_module(f"llmcourse.sweeps.{name}"), name.upper())
