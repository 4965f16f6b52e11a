"""Activation checkpointing: keep what goes into a block, and compute what is inside it again."""

import functools

from torch import nn
from torch.utils.checkpoint import checkpoint

__all__ = ["checkpoint_activations"]


def checkpoint_activations(model: nn.Module, *, every: int = 1) -> None:
    r"""Let blocks drop what the backward pass needs of their inside, and compute it again there; in place.

    Chen et al. 2016 (arXiv:1604.06174). With one in each block, memory for activations goes from everything inside
    all blocks to one residual stream a block and everything inside one.

    Args:
        model: Has ``blocks``; the names of its parameters stay as they are.
        every: Which blocks: 1 is all, 2 every second.

    Raises:
        ValueError: There are no blocks, or ``every`` is less than 1; quotes it.

    Cost: the forward pass of these blocks once more: a third more time if it is all, for at most the memory of one.

    Example:
        >>> from llmcourse.architecture import ModelConfig, Transformer
        >>> model = Transformer(ModelConfig(vocab_size=8, d_model=16, n_layers=2, n_heads=2))
        >>> checkpoint_activations(model)
    """
    blocks = getattr(model, "blocks", None)
    if blocks is None or every < 1:
        raise ValueError(f"every is {every} and the model a {type(model).__name__}: give a model with blocks, and 1 up")
    for block in list(blocks)[::every]:
        # Blocks draw nothing at random, so that there is no state of random numbers to keep.
        block.forward = functools.partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
