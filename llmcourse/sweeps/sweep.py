"""A sweep: a named grid of runs, each a dict of settings that becomes a dict of results."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

__all__ = ["Settings", "Sweep"]

Settings = dict[str, Any]  # of JSON's values, so that a file can hold them


@dataclass(frozen=True)
class Sweep:
    r"""A grid of runs.

    Attributes:
        name: What the command line calls it.
        sizes: The runs of each preset, ``"cpu"`` for instance: an order of settings, no two alike.
        run: Does one run: settings and the name of a device to results, all of JSON's values. It draws what it draws
            at random from seeds in the settings. Workers import it, so it is a function of a module.
        cost: How long a run takes beside others, in any unit; the time left is told from it, and the costly come first.
        constants: What else the results depend on and the settings do not say; part of the hash.

    Raises:
        ValueError: Two runs have the same settings.

    Example:
        >>> squares = Sweep(
        ...     name="squares",
        ...     sizes={"cpu": [{"x": 1}, {"x": 2}]},
        ...     run=lambda settings, device: {"y": settings["x"] ** 2},
        ... )
        >>> from dataclasses import replace
        >>> squares.hash("cpu") == replace(squares, constants={"version": 2}).hash("cpu")
        False
    """

    _: KW_ONLY
    name: str
    sizes: Mapping[str, Sequence[Settings]]
    run: Callable[[Settings, str], dict[str, Any]]
    cost: Callable[[Settings], float] = lambda settings: 1.0
    constants: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for size, runs in self.sizes.items():
            keys = [canonical(settings) for settings in runs]
            if twice := next((key for key in keys if keys.count(key) > 1), None):
                raise ValueError(f"sweep {self.name!r} of size {size!r} has the run {twice} twice: give each a seed")

    def runs(self, size: str) -> list[Settings]:
        """Return the settings of a preset.

        Args:
            size: Its name.

        Returns:
            Settings in the order of the table.

        Raises:
            ValueError: There is no such preset.
        """
        if size not in self.sizes:
            raise ValueError(f"sweep {self.name!r} has no size {size!r}: choose {' or '.join(self.sizes)}")
        return [dict(settings) for settings in self.sizes[size]]

    def hash(self, size: str) -> str:
        """Return a digest of all settings and constants: results under one digest may stand in one table.

        Args:
            size: The name of a preset.

        Returns:
            16 hexadecimal digits.
        """
        whole = {"name": self.name, "runs": self.runs(size), "constants": dict(self.constants or {})}
        return hashlib.sha256(canonical(whole).encode()).hexdigest()[:16]


def canonical(value: object) -> str:
    """Return JSON that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
