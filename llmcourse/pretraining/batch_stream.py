"""The batches of a run, epoch after epoch: known from the seed and the place, so that a run can go on in the middle."""

from typing import Self

import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.pretraining.micro_batch import MicroBatch

__all__ = ["BatchStream"]


class BatchStream:
    r"""An endless stream of batches in which each sequence of a text comes once an epoch, in an order that is drawn.

    Each epoch's order follows from the seed and the epoch's number alone, and each process takes its rows of the same
    batch. So the stream's whole state is one number, and it stays the same when the number of processes changes.

    Attributes:
        position: How many batches were given.

    Args:
        tokens: The text.
        batch_size: Sequences of all processes together.
        seq_len: Tokens in each.
        seed: Of the orders.
        data_rank: Which share of each batch to give, from 0.
        data_size: In how many shares batches are cut.

    Raises:
        ValueError: The text is too short for one batch, or the batch does not divide; quotes the numbers.

    Example:
        >>> stream = BatchStream(torch.arange(13), batch_size=3, seq_len=4, seed=0)
        >>> first = next(stream)
        >>> sorted(first.labels.flatten().tolist())
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        >>> stream.state_dict()
        {'position': 1}
    """

    def __init__(
        self,
        tokens: Int[Tensor, " n_tokens"],
        *,
        batch_size: int,
        seq_len: int,
        seed: int = 0,
        data_rank: int = 0,
        data_size: int = 1,
    ) -> None:
        if min(batch_size, seq_len) < 1:
            raise ValueError(f"batch_size is {batch_size} and seq_len {seq_len}: both are at least 1")
        if data_size < 1 or batch_size % data_size or not 0 <= data_rank < data_size:
            raise ValueError(
                f"batch_size is {batch_size}, data_rank {data_rank} and data_size {data_size}: "
                "the batch divides into the shares, which count from 0"
            )
        self._n_sequences = max(len(tokens) - 1, 0) // seq_len
        if self._n_sequences < batch_size:
            needed = batch_size * seq_len + 1
            raise ValueError(
                f"the text has {len(tokens)} tokens: a batch of {batch_size} sequences of {seq_len} needs {needed}; "
                "give a longer text, or make the batch or the sequences shorter"
            )
        self.position, self.batch_size, self.seq_len = 0, batch_size, seq_len
        self._tokens, self._seed = tokens, seed
        self._rows = slice(batch_size // data_size * data_rank, batch_size // data_size * (data_rank + 1))
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    @property
    def batches_per_epoch(self) -> int:
        """How many batches the text gives; the sequences that fill none are left out, other ones in each epoch."""
        return self._n_sequences // self.batch_size

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> MicroBatch:
        epoch, place = divmod(self.position, self.batches_per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
            self._epoch, self._order = epoch, torch.randperm(self._n_sequences, generator=generator)
        chosen = self._order[place * self.batch_size : (place + 1) * self.batch_size][self._rows]
        windows = self._tokens[chosen[:, None] * self.seq_len + torch.arange(self.seq_len + 1)].long()
        self.position += 1
        return MicroBatch(windows[:, :-1], windows[:, 1:])

    def state_dict(self) -> dict[str, int]:
        """Return what a resumed run needs to go on with the next batch."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Take in what ``state_dict`` returned."""
        self.position = int(state["position"])
