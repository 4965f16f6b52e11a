"""The switches of a process that a test sets before it calls a student's code: seeds, gradient mode, default dtype.

A test seeds its own process; what it means is the process in which the student's code draws. So the judge notes when a
global generator is seeded, and sends the generator's state with the next call. Nothing is sent back: a student's code
must not choose what a hidden test draws.
"""

import contextlib
import functools
import random
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["apply", "current", "watched"]


def _modules() -> dict[str, tuple[Any, tuple[str, ...]]]:
    found: dict[str, tuple[Any, tuple[str, ...]]] = {"random": (random, ("seed", "setstate"))}
    if (numpy := sys.modules.get("numpy")) is not None:
        found["numpy"] = numpy.random, ("seed", "set_state")
    if (torch := sys.modules.get("torch")) is not None:
        found["torch"] = torch, ("manual_seed", "set_rng_state")
    return found


@contextlib.contextmanager
def watched(reseeded: set[str]) -> Iterator[None]:
    """Add the name of each library whose global generator is seeded to a set, as long as the context lasts."""
    before = []
    for library, (module, names) in _modules().items():
        for name in names:
            original = getattr(module, name)
            before.append((module, name, original))
            setattr(module, name, _noting(original, library, reseeded))
    try:
        yield
    finally:
        for module, name, original in before:
            setattr(module, name, original)


def _noting(original: Any, library: str, reseeded: set[str]) -> Any:
    @functools.wraps(original)
    def seed(*args: Any, **kwargs: Any) -> Any:
        reseeded.add(library)
        return original(*args, **kwargs)

    return seed


def current(reseeded: set[str]) -> dict[str, Any]:
    """Return what to send along with a call, and forget what was seeded."""
    switches: dict[str, Any] = {}
    torch = sys.modules.get("torch")
    if torch is not None:
        if not torch.is_grad_enabled():
            switches["grad"] = False
        if torch.get_default_dtype() != torch.float32:
            switches["dtype"] = torch.get_default_dtype()
    if "random" in reseeded:
        switches["random"] = random.getstate()
    if "numpy" in reseeded:
        switches["numpy"] = sys.modules["numpy"].random.get_state(legacy=False)
    if "torch" in reseeded and torch is not None:
        switches["torch"] = torch.get_rng_state()
    reseeded.clear()
    return switches


@contextlib.contextmanager
def apply(switches: dict[str, Any]) -> Iterator[None]:
    """Set what the other side sent; the gradient mode and dtype are put back afterwards, generators go on."""
    if "random" in switches:
        random.setstate(switches["random"])
    if "numpy" in switches:
        import numpy as np

        np.random.set_state(switches["numpy"])  # noqa: NPY002
    if not switches.keys() & {"torch", "dtype", "grad"}:
        yield
        return
    import torch

    if "torch" in switches:
        torch.set_rng_state(switches["torch"])
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(switches.get("dtype", dtype))
    try:
        with torch.set_grad_enabled(switches.get("grad", True)):
            yield
    finally:
        torch.set_default_dtype(dtype)
