"""Running code that is not trusted: bubblewrap, namespaces, limits, and what is left when they cannot be had.

:func:`run_untrusted` runs one program and returns its :class:`Outcome`. A server that forks a child for each
submission starts in a :class:`Sandbox` made with ``nested=True``, and each child calls :func:`isolate_fork` before it
runs anything that is not trusted. :func:`probe` says what this machine can do, by having tried it.

Out of scope: holes in the Linux kernel itself, and what can be measured of a machine from inside it (its load, its
caches). No torch here, and nothing else of the course: this package alone is carried into the sandbox.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmcourse.sandbox.bubblewrap import INNER_PACKAGE, Bind, Sandbox
    from llmcourse.sandbox.isolation import LIMIT_HIT, isolate_fork
    from llmcourse.sandbox.limits import Limits
    from llmcourse.sandbox.probing import Lack, Probe, probe
    from llmcourse.sandbox.run import NotIsolatedError, run_untrusted
    from llmcourse.sandbox.supervision import Outcome

__all__ = [
    "INNER_PACKAGE",
    "LIMIT_HIT",
    "Bind",
    "Lack",
    "Limits",
    "NotIsolatedError",
    "Outcome",
    "Probe",
    "Sandbox",
    "isolate_fork",
    "probe",
    "run_untrusted",
]

_HOME = {
    "bubblewrap": ("INNER_PACKAGE", "Bind", "Sandbox"),
    "isolation": ("LIMIT_HIT", "isolate_fork"),
    "limits": ("Limits",),
    "probing": ("Lack", "Probe", "probe"),
    "run": ("NotIsolatedError", "run_untrusted"),
    "supervision": ("Outcome",),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: the first process of each sandbox passes here, and needs few."""
    for module, names in _HOME.items():
        if name in names:
            globals()[name] = value = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
