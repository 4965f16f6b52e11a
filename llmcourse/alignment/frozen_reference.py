"""The reference model: a frozen copy, or the policy itself with its adapters switched off."""

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from llmcourse.architecture import lora_layers

__all__ = ["reference_of"]


@contextlib.contextmanager
def reference_of(policy: nn.Module, reference: nn.Module | None = None) -> Iterator[Callable[..., Tensor]]:
    r"""Give the reference, without gradients, for as long as the block lasts.

    A policy that trains LoRA adapters alone has its reference in itself: with the adapters off it is the model that it
    started from, and a second copy of the weights is not needed.

    Args:
        policy: The model that is trained.
        reference: A frozen copy of it as it was; None takes the policy without its adapters.

    Yields:
        The model to compute with.

    Raises:
        ValueError: There is neither a reference nor an adapter, or the adapters are merged.

    Example:
        >>> from llmcourse.architecture import add_lora
        >>> policy = add_lora(nn.ModuleDict({"q": nn.Linear(2, 2)}), rank=1)
        >>> _ = nn.init.ones_(policy["q"].up)
        >>> with reference_of(policy) as model:
        ...     print(torch.equal(model["q"](torch.ones(1, 2)), policy["q"].layer(torch.ones(1, 2))))
        True
    """
    with torch.no_grad():
        if reference is not None:
            yield reference
            return
        adapters = list(lora_layers(policy))
        if not adapters or any(adapter.merged for adapter in adapters):
            merged = sum(adapter.merged for adapter in adapters)
            raise ValueError(
                f"the policy has {len(adapters)} adapters, {merged} of them merged: "
                "give a frozen copy as the reference, or unmerge them"
            )
        scales = [adapter.scale for adapter in adapters]
        try:
            for adapter in adapters:
                adapter.scale = 0.0
            yield policy
        finally:
            for adapter, scale in zip(adapters, scales, strict=True):
                adapter.scale = scale
