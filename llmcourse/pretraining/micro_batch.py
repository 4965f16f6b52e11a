"""What one forward and backward pass takes: tokens, the labels after them, and which of these count."""

from collections.abc import Iterator
from typing import NamedTuple

from jaxtyping import Bool, Int
from torch import Tensor

__all__ = ["MicroBatch"]


class MicroBatch(NamedTuple):
    """Sequences side by side; a plain ``(inputs, labels)`` becomes one by ``MicroBatch(*pair)``.

    Attributes:
        inputs: Tokens.
        labels: The token that follows each.
        mask: True where a label counts; all do where it is None.
        document_ids: Which document a token is of, where several are packed in a row.

    Example:
        >>> import torch
        >>> tokens = torch.arange(12).reshape(4, 3)
        >>> whole = MicroBatch(tokens, tokens + 1, tokens > 2)
        >>> [(len(part.inputs), part.n_kept) for part in whole.split(2)]
        [(2, 3), (2, 6)]
    """

    inputs: Int[Tensor, "B T"]
    labels: Int[Tensor, "B T"]
    mask: Bool[Tensor, "B T"] | None = None
    document_ids: Int[Tensor, "B T"] | None = None

    @property
    def n_kept(self) -> int:
        """How many labels count. Reading it off a mask on a GPU waits for the GPU."""
        return self.labels.numel() if self.mask is None else int(self.mask.sum())

    def rows(self, start: int, stop: int) -> "MicroBatch":
        """Return some of the sequences."""
        return MicroBatch(*(None if field is None else field[start:stop] for field in self))  # pyright: ignore[reportArgumentType]

    def split(self, n: int) -> Iterator["MicroBatch"]:
        """Cut into ``n`` equal parts, in order.

        Args:
            n: How many; it divides the number of sequences.

        Yields:
            The parts.

        Raises:
            ValueError: It does not divide it.
        """
        size, rest = divmod(len(self.inputs), max(n, 1))
        if n < 1 or rest:
            raise ValueError(f"{len(self.inputs)} sequences do not split into {n} equal parts: change one of the two")
        for start in range(0, size * n, size):
            yield self.rows(start, start + size)

    def to(self, device) -> "MicroBatch":
        """Return the same on a device."""
        moved = (None if field is None else field.to(device, non_blocking=True) for field in self)
        return MicroBatch(*moved)  # pyright: ignore[reportArgumentType]
