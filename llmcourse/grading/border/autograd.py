"""Gradients through the border: a graph stays where it was built, and is asked for vector-Jacobian products.

A result that carries gradients crosses as values plus the leaves that its graph reaches. On the other side it becomes
the output of one autograd function of those leaves, so that ``backward``, ``torch.autograd.grad``, hooks and
optimizers work there as usual; its backward pass asks the first side for the products. A graph crosses once only:
second derivatives are refused.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from llmcourse.grading.border.limits import BorderError

__all__ = ["Graphs", "attach"]


class Graphs:
    """The graphs of one side that the other side may still go back through."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[int, tuple[list[Any], list[Any]]] = {}
        self._given = 0

    def offer(self, outputs: list[Any]) -> tuple[int, list[Any]]:
        """Keep the graph of some tensors; returns its number and the leaves that it reaches."""
        if len(self._held) >= self._limit:
            raise BorderError(f"more than {self._limit:,} results with gradients are held at once")
        self._given += 1
        leaves = _leaves(outputs)
        self._held[self._given] = outputs, leaves
        return self._given, leaves

    def products(self, number: int, grads: list[Any]) -> list[Any]:
        """Return the vector-Jacobian product of a graph for each of its leaves."""
        import torch

        outputs, leaves = self._held[number]
        if type(grads) is not list or len(grads) != len(outputs):
            raise BorderError("gradients arrived that fit no result")
        pairs = [(output, grad) for output, grad in zip(outputs, grads, strict=True) if grad is not None]
        if not pairs:
            return [None] * len(leaves)
        given = [grad.to(output.dtype) for output, grad in pairs]
        found = torch.autograd.grad([pair[0] for pair in pairs], leaves, given, retain_graph=True, allow_unused=True)
        return list(found)

    def drop(self, numbers: Any) -> None:
        """Forget graphs that the other side has freed."""
        for number in numbers if type(numbers) is list else ():
            if type(number) is int:
                self._held.pop(number, None)


def _leaves(outputs: list[Any]) -> list[Any]:
    """Return the leaf tensors below some tensors, each once."""
    found: dict[int, Any] = {}
    seen, waiting = set(), [output.grad_fn for output in outputs]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found[id(leaf)] = leaf
        waiting += [following for following, _ in node.next_functions]
    return list(found.values())


class _Held:
    """Says that a graph is no longer needed, when the last result of it is gone."""

    def __init__(self, number: int, released: list[int], ask: Callable[..., Any], outputs: Sequence[Any]) -> None:
        self.number, self.released, self.ask, self.outputs = number, released, ask, tuple(outputs)

    def __del__(self) -> None:
        self.released.append(self.number)


@functools.cache
def _bridge() -> Any:
    import torch

    class Bridge(torch.autograd.Function):
        """Results whose graph lies on the other side."""

        @staticmethod
        def forward(ctx: Any, held: _Held, *leaves: Any) -> tuple[Any, ...]:
            ctx.set_materialize_grads(False)
            ctx.held, ctx.leaves = held, [(leaf.shape, leaf.dtype) for leaf in leaves]
            outputs, held.outputs = held.outputs, ()
            return outputs

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
            if torch.is_grad_enabled():
                raise BorderError("gradients of gradients (create_graph=True) cannot be taken through a student's code")
            products = ctx.held.ask(ctx.held.number, [None if grad is None else grad.detach() for grad in grads])
            if type(products) is not list or len(products) != len(ctx.leaves):
                raise BorderError("your code's process sent gradients that fit no input")
            return None, *[_fitting(grad, *leaf) for grad, leaf in zip(products, ctx.leaves, strict=True)]

    return Bridge


def _fitting(grad: Any, shape: Any, dtype: Any) -> Any:
    import torch

    if grad is None:
        return None
    if not isinstance(grad, torch.Tensor) or grad.shape != shape:
        raise BorderError(f"your code's process sent a gradient that does not fit an input of shape {tuple(shape)}")
    return grad.to(dtype)


def attach(
    number: int, leaves: list[Any], outputs: list[Any], released: list[int], ask: Callable[..., Any]
) -> list[Any]:
    """Return results that are joined to their leaves.

    Args:
        number: The graph's, on the other side.
        leaves: This side's tensors of the leaves.
        outputs: The results' values.
        released: Where the number is appended once nothing here needs the graph.
        ask: Called with the number and the gradients of the outputs; returns the products.

    Returns:
        The same values, as outputs of one autograd function.
    """
    import torch

    with torch.enable_grad():
        return list(_bridge().apply(_Held(number, released, ask, outputs), *leaves))
