"""Batches from one long text: at random places, or each token once."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor

__all__ = ["get_batch", "one_epoch"]

Batch = tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]


def get_batch(
    tokens: Int[Tensor, " n_tokens"],
    batch_size: int,
    seq_len: int,
    *,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Batch:
    r"""Cut sequences at random places; the labels are the same stretch one token later.

    Args:
        tokens: A text of at least ``seq_len + 1`` tokens. Every place is as likely as any other, the last included.
        batch_size: How many sequences.
        seq_len: Tokens in each.
        device: Where to put them.
        generator: A source of chance on the CPU; torch's global one by default.

    Returns:
        Inputs and labels, int64.

    Raises:
        ValueError: The text is too short.

    Example:
        >>> inputs, labels = get_batch(torch.arange(100), 2, 4, generator=torch.Generator().manual_seed(0))
        >>> bool((labels == inputs + 1).all()), inputs.shape
        (True, torch.Size([2, 4]))
    """
    _check(tokens, batch_size, seq_len)
    starts = torch.randint(len(tokens) - seq_len, (batch_size, 1), generator=generator)
    windows = tokens[(starts + torch.arange(seq_len + 1)).to(tokens.device)].long().to(device)
    return windows[:, :-1], windows[:, 1:]


def one_epoch(
    tokens: Int[Tensor, " n_tokens"],
    batch_size: int,
    seq_len: int,
    *,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Iterator[Batch]:
    r"""Cut a text into sequences and give each once, in random order: no token is predicted twice.

    Args:
        tokens: The text.
        batch_size: How many sequences at a time; what is left at the end and fills no batch is dropped.
        seq_len: Tokens in each.
        device: Where to put them.
        generator: A source of chance on the CPU; torch's global one by default.

    Yields:
        Inputs and labels, int64.

    Raises:
        ValueError: The text is too short for one batch.

    Example:
        >>> batches = list(one_epoch(torch.arange(13), 1, 4, generator=torch.Generator().manual_seed(0)))
        >>> sorted(labels.tolist() for _, labels in batches)
        [[[1, 2, 3, 4]], [[5, 6, 7, 8]], [[9, 10, 11, 12]]]
    """
    _check(tokens, batch_size, seq_len)
    n_sequences = (len(tokens) - 1) // seq_len
    if n_sequences < batch_size:
        needed = batch_size * seq_len + 1
        raise ValueError(f"tokens are {len(tokens)}: {batch_size} sequences of {seq_len} need {needed}")
    tokens = tokens.to(device)
    inputs = tokens[: n_sequences * seq_len].view(n_sequences, seq_len)
    labels = tokens[1 : n_sequences * seq_len + 1].view(n_sequences, seq_len)
    order = torch.randperm(n_sequences, generator=generator).to(device)
    for chosen in order[: n_sequences - n_sequences % batch_size].view(-1, batch_size):
        yield inputs[chosen].long(), labels[chosen].long()


def _check(tokens: Tensor, batch_size: int, seq_len: int) -> None:
    if min(batch_size, seq_len) < 1:
        raise ValueError(f"batch_size is {batch_size} and seq_len {seq_len}: both are at least 1")
    if len(tokens) <= seq_len:
        raise ValueError(f"tokens are {len(tokens)}: sequences of {seq_len} and the label after them need more")
