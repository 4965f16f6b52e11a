"""Modules of the other side, as real ``torch.nn.Module`` here.

Their parameters are shared tensors, so that optimizers, ``clip_grad_norm_`` and containers of this side work on them;
all other methods, ``to``, ``train`` and ``load_state_dict`` among them, run where the module lives.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from llmcourse.grading.border.proxies import Method, Proxy

__all__ = ["COLLECTED", "module_class"]

COLLECTED = frozenset(
    "parameters named_parameters buffers named_buffers children named_children modules named_modules".split()
)


@functools.lru_cache(maxsize=256)
def module_class(base: str | None) -> type:
    """Return the class of a module's proxy.

    Args:
        base: The class of ``torch.nn`` that the module is of or derives from, so that ``isinstance`` holds.

    Returns:
        A class whose methods run where the module lives.
    """
    import torch

    parent: Any = getattr(torch.nn, base or "Module", torch.nn.Module)
    if not isinstance(parent, type) or not issubclass(parent, torch.nn.Module):
        parent = torch.nn.Module
    members: dict[str, Any] = {"__call__": _call, "__repr__": Proxy.__repr__, "__dir__": Proxy.__dir__}
    for name in dir(torch.nn.Module):
        if not name.startswith("_") and callable(getattr(torch.nn.Module, name)):
            members[name] = _collected(name) if name in COLLECTED else _method(name)
    return type("ModuleProxy", (Proxy, parent), members)


def _call(self: Any, *args: Any, **kwargs: Any) -> Any:
    known = self.__dict__["_border_known"]
    return known.border.request(known.label, "op", (self, "__call__", *args), kwargs)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return Method(self, name)(*args, **kwargs)

    method.__name__ = name
    return method


def _collected(name: str) -> Callable[..., Any]:
    def collected(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        known = self.__dict__["_border_known"]
        return iter(known.border.request(f"{known.label}.{name}", "collect", (self, name, *args), kwargs))

    collected.__name__ = name
    return collected
