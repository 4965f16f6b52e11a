"""The rows of one pass over a paged cache: where their new tokens are written, and what is gathered for each layer."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.inference.block_tables import BlockTables

__all__ = ["PagedRows"]

Pool = tuple[Tensor, ...]


class PagedRows:
    r"""Some sequences of a paged cache as the batch of one forward pass; fulfils :class:`llmcourse.architecture.Cache`.

    Rows end in the same column: what is gathered has the shorter sequences behind padding, and so have the new tokens
    where rows read different numbers of them. :meth:`llmcourse.inference.PagedKVCache.reserve` makes it.

    Args:
        tables: In which the new tokens have their places already.
        pools: Keys and values of each layer, (n_blocks + 1, block_size, H_kv, width); the last block is zero.
        windows: Of each layer.
        n_new: For each sequence, how many of its last tokens this pass reads.

    Attributes:
        n_tokens: Tokens that each row held before, or None where rows differ.

    Cost: a layer copies the keys and values of all rows, each as long as the longest.
    """

    def __init__(
        self, tables: BlockTables, pools: Sequence[Pool], windows: Sequence[int | None], n_new: Mapping[int, int]
    ) -> None:
        self._tables, self._pools, self._windows, self._n_new = tables, pools, windows, dict(n_new)
        device = pools[0][0].device
        self._lengths = [tables.n_tokens(sequence) for sequence in n_new]
        starts = {length - n for length, n in zip(self._lengths, n_new.values(), strict=True)}
        self.n_tokens = starts.pop() if len(starts) == 1 else None
        self._width, self._longest = max(n_new.values()), max(self._lengths)
        lengths = torch.tensor(self._lengths, device=device)
        place = torch.arange(self._longest, device=device) - (self._longest - lengths)[:, None]
        self._slots = _slots_of(tables, n_new, place, pools[0][0])
        self._real = None if min(self._lengths) == self._longest else place >= 0
        self._is_new: Tensor | None = None  # of the columns of new tokens, those that are no padding
        written = self._slots[:, self._longest - self._width :]
        if min(n_new.values()) < self._width:
            first = self._width - torch.tensor(list(n_new.values()), device=device)
            self._is_new = torch.arange(self._width, device=device) >= first[:, None]
            written = written[self._is_new]
        self._written = written.flatten()

    def update(
        self,
        layer: int,
        k: Float[Tensor, "B H_kv T head_dim"],
        v: Float[Tensor, "B H_kv T value_dim"],
        positions: Int[Tensor, "*B T"],
    ) -> tuple[Float[Tensor, "B H_kv S head_dim"], Float[Tensor, "B H_kv S value_dim"]]:
        """Store the keys and values of new tokens in a layer, and return those of all that it can still see.

        Args:
            layer: The layer's number.
            k: Keys, rotated already.
            v: Values.
            positions: Of the new tokens; the rows know their places.

        Returns:
            Copies of what is stored, new tokens last and shorter rows behind padding, which :meth:`mask` hides.

        Raises:
            ValueError: Shapes or dtypes do not fit.
        """
        self.check(self._pools[layer], k, v)
        if (len(k), k.shape[2]) != (len(self._lengths), self._width):
            raise ValueError(
                f"{len(k)} rows of {k.shape[2]} new tokens are given, and {len(self._lengths)} of {self._width} were "
                "reserved"
            )
        slots = self._slots[:, self._longest - self._n_visible(layer) :]
        return self._exchange(self._pools[layer][0], k, slots), self._exchange(self._pools[layer][1], v, slots)

    def mask(self, layer: int, positions: Int[Tensor, "*B T"]) -> Bool[Tensor, "B 1 T S"] | None:
        """Return what hides padding among the keys that :meth:`update` returned; None where there is none."""
        if self._real is None:
            return None
        real = self._real[:, self._longest - self._n_visible(layer) :]
        return real[:, None, None, :].expand(-1, 1, positions.shape[-1], -1)

    def reset(self) -> None:
        """Refuse: a pass cannot begin anew. Close the sequences, or reset the cache that they are in."""
        raise ValueError("these are the rows of one pass: close their sequences, or reset the cache")

    def undo(self) -> None:
        """Take back the room for the new tokens, as after a pass that has failed."""
        for (sequence, n_new), length in zip(self._n_new.items(), self._lengths, strict=True):
            self._tables.truncate(sequence, length - n_new)

    @staticmethod
    def check(pool: Pool, k: Tensor, v: Tensor) -> None:
        """Raise ValueError where keys or values cannot be stored in a layer's pool."""
        for new, held in zip((k, v), pool, strict=True):
            if (new.shape[1], new.shape[3]) != held.shape[2:] or new.dtype != held.dtype or len(k) != len(v):
                raise ValueError(
                    f"new keys or values have shape {tuple(new.shape)} and dtype {new.dtype}, and the cache "
                    f"(B, {held.shape[2]}, T, {held.shape[3]}) and {held.dtype}: make it with PagedKVCache.of(model)"
                )

    def _n_visible(self, layer: int) -> int:
        window = self._windows[layer]
        return self._longest if window is None else min(self._longest, self._width + window - 1)

    def _exchange(self, pool: Tensor, new: Tensor, slots: Int[Tensor, "B S"]) -> Tensor:
        flat, rows = pool.flatten(0, 1), new.detach().transpose(1, 2)
        flat[self._written] = rows.flatten(0, 1) if self._is_new is None else rows[self._is_new]
        return flat.index_select(0, slots.flatten()).unflatten(0, slots.shape).transpose(1, 2)


def _slots_of(
    tables: BlockTables, sequences: Mapping[int, int], place: Int[Tensor, "B S"], pool: Tensor
) -> Int[Tensor, "B S"]:
    """Return where in the flattened pool each token lies, and for padding, whose place is negative, a slot of zeros."""
    size, zeros = tables.block_size, len(pool) - 1
    blocks = [tables.blocks(sequence) for sequence in sequences]
    longest = max(map(len, blocks))
    table = torch.tensor([[*row, *([zeros] * (longest - len(row)))] for row in blocks], device=place.device)
    slots = table.gather(1, place.clamp(min=0) // size) * size + place % size
    return slots.masked_fill(place < 0, zeros * size)
