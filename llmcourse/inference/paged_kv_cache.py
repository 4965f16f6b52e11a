"""Keys and values in blocks, so that sequences of any length share one memory and none of it lies idle."""

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.inference.block_tables import BlockTables
from llmcourse.inference.paged_rows import PagedRows

__all__ = ["PagedKVCache"]


class PagedKVCache:
    r"""Keys and values of many sequences in blocks of one memory (PagedAttention: Kwon et al. 2023, arXiv:2309.06180).

    A contiguous cache reserves for each sequence what it may need at most. Here a sequence takes a block when its last
    one is full, so that less than one block of each is idle, and sequences that begin alike share the blocks of their
    beginning. What is read next need not lie together: each pass of the model asks :meth:`reserve` for a view of the
    sequences that it works on, which fulfils :class:`llmcourse.architecture.Cache`.

    The cache itself fulfils it as well, as one batch whose rows grow independently: give negative positions to what is
    padding before a row's new tokens. No gradient flows through what is stored.

    Args:
        config: Of the model that reads and writes it.
        n_blocks: In all.
        block_size: Tokens in a block. Small ones waste less, large ones are read faster.
        dtype: Of keys and values: the model's.
        device: Likewise.

    Attributes:
        tables: Which blocks each sequence lies in; opens, forks and closes sequences.

    Raises:
        ValueError: A size is below 1.

    Example:
        >>> model = Transformer(ModelConfig(vocab_size=50, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2))
        >>> cache = PagedKVCache.of(model, n_blocks=8, block_size=4)
        >>> text = cache.tables.open()
        >>> _ = model(torch.tensor([[1, 2, 3, 4, 5]]), cache=cache.reserve({text: 5}))
        >>> twin = cache.tables.fork(text)
        >>> model(torch.tensor([[6], [7]]), cache=cache.reserve({text: 1, twin: 1})).shape
        torch.Size([2, 1, 50])
        >>> cache.tables.blocks(text), cache.tables.blocks(twin)  # the full block is shared, the other copied
        ((0, 2), (0, 1))
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        n_blocks: int,
        block_size: int = 16,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        self.tables = BlockTables(n_blocks, block_size=block_size)
        self.block_size, self.windows = block_size, [config.window_of(layer) for layer in range(config.n_layers)]
        heads, widths = config.n_kv_heads, (config.head_dim, config.head_dim)
        if config.latent is not None:
            heads, widths = 1, (config.latent.kv_rank, config.latent.rope_head_dim)
        # One block more than is given out: padding reads it. It stays zero, since a masked NaN would still spread.
        self.pools = [
            tuple(torch.zeros(n_blocks + 1, block_size, heads, width, dtype=dtype, device=device) for width in widths)
            for _ in range(config.n_layers)
        ]
        self._rows: list[int] = []
        self._step: PagedRows | None = None

    @classmethod
    def of(cls, model: Transformer, *, n_blocks: int, block_size: int = 16) -> Self:
        """Make a cache of a model's dtype, on its device; the arguments are those of the class."""
        like = model.embedding.weight
        return cls(model.config, n_blocks=n_blocks, block_size=block_size, dtype=like.dtype, device=like.device)

    @property
    def block_bytes(self) -> int:
        """Bytes of one block, over all layers."""
        return sum(x[0].numel() * x.element_size() for pool in self.pools for x in pool)

    @property
    def cache_bytes(self) -> int:
        """Bytes that are taken, whether they hold tokens or not: all blocks, and the one that padding reads."""
        return self.block_bytes * (self.tables.allocator.n_blocks + 1)

    @property
    def used_bytes(self) -> int:
        """Bytes of the blocks that sequences hold."""
        return self.block_bytes * self.tables.allocator.n_used

    @property
    def n_tokens(self) -> int | None:
        """Tokens held in each row of the cache's own batch; None where rows differ."""
        lengths = {self.tables.n_tokens(row) for row in self._rows} or {0}
        return lengths.pop() if len(lengths) == 1 else None

    @property
    def lengths(self) -> Int[Tensor, "B"]:
        """Tokens held in each row of the cache's own batch: the position of its next token."""
        return torch.tensor([self.tables.n_tokens(row) for row in self._rows], device=self.pools[0][0].device)

    def reserve(self, n_new: Mapping[int, int]) -> PagedRows:
        r"""Make room for the next tokens of some sequences, and return the cache that one pass of the model needs.

        Args:
            n_new: For each sequence's number, the tokens that it is about to read: the rows of the batch, in order.

        Returns:
            A :class:`llmcourse.architecture.Cache` for one pass. If that fails, :meth:`PagedRows.undo` gives back what
            was taken.

        Raises:
            OutOfBlocks: There are not enough blocks; every sequence is as it was.
            ValueError: There is no row, or one that has nothing to read.
        """
        if not n_new or min(n_new.values()) < 1:
            raise ValueError(f"new tokens are {dict(n_new)}: give at least one row, and at least 1 token in each")
        copies = self.tables.extend(n_new)
        if copies:
            sources, targets = torch.tensor(copies, device=self.pools[0][0].device).unbind(1)
            for pool in self.pools:
                for x in pool:
                    x[targets] = x[sources]
        return PagedRows(self.tables, self.pools, self.windows, n_new)

    def update(
        self,
        layer: int,
        k: Float[Tensor, "B H_kv T head_dim"],
        v: Float[Tensor, "B H_kv T value_dim"],
        positions: Int[Tensor, "*B T"],
    ) -> tuple[Float[Tensor, "B H_kv S head_dim"], Float[Tensor, "B H_kv S value_dim"]]:
        """Store the keys and values of new tokens in a layer, and return those of all that it can still see.

        Args:
            layer: The layer's number; the first one makes the room.
            k: Keys, rotated already.
            v: Values.
            positions: (T,), or (B, T) with negative numbers where there is padding before a row's new tokens.

        Returns:
            Copies of what is stored, new tokens last and shorter rows behind padding, which :meth:`mask` hides.

        Raises:
            OutOfBlocks: No room is left; nothing is changed.
            ValueError: Shapes or dtypes do not fit, or there is padding inside a row.
        """
        if layer == 0:
            self._begin(k, v, positions)
        assert self._step is not None
        return self._step.update(layer, k, v, positions)

    def mask(self, layer: int, positions: Int[Tensor, "*B T"]) -> Bool[Tensor, "B 1 T S"] | None:
        """Return what hides padding among the keys that :meth:`update` returned; None where there is none."""
        return None if self._step is None else self._step.mask(layer, positions)

    def reset(self) -> None:
        """Forget everything: all sequences, and what could be found of earlier ones."""
        self.tables = BlockTables(self.tables.allocator.n_blocks, block_size=self.block_size)
        self._rows, self._step = [], None

    def _begin(self, k: Tensor, v: Tensor, positions: Tensor) -> None:
        batch, n_new = len(k), [k.shape[2]] * len(k)
        if positions.ndim == 2 and bool((positions < 0).any()):
            n_new = _count_new(positions)
        if self._rows and len(self._rows) != batch:
            raise ValueError(f"the cache holds {len(self._rows)} rows, and {batch} are given: reset it first")
        PagedRows.check(self.pools[0], k, v)
        rows = self._rows or [self.tables.open() for _ in range(batch)]
        try:
            self._step = self.reserve(dict(zip(rows, n_new, strict=True)))
        except Exception:
            if not self._rows:
                for row in rows:
                    self.tables.close(row)
            raise
        self._rows = rows


def _count_new(positions: Int[Tensor, "B T"]) -> Sequence[int]:
    padding = positions < 0
    if (padding.long().cumprod(-1) != padding).any():
        raise ValueError(f"positions are {positions.tolist()}: padding, which is negative, stands before a row's text")
    return (~padding).sum(-1).tolist()
