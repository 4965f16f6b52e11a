"""Keys and values of the tokens that were read, kept so that each of them is computed once."""

import math
from collections.abc import Sequence
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.architecture import ModelConfig, Transformer

__all__ = ["KVCache", "kv_cache_bytes", "left_pad"]

# Columns that a layer with a window holds beside its window: it moves its contents once in so many tokens.
_SLACK = 64


def kv_cache_bytes(
    *,
    n_layers: int,
    n_kv_heads: int,
    head_dim: int,
    seq_len: int,
    batch_size: int = 1,
    bytes_per_element: float = 2,
) -> int:
    r"""Return the bytes of all keys and values: 2 n_layers n_kv_heads head_dim T B bytes_per_element.

    The 2 is for a key and a value. What counts is the heads of keys and values, not of queries (Ainslie et al. 2023,
    arXiv:2305.13245), and ``head_dim`` is not always ``d_model / n_heads``.

    Args:
        n_layers: Layers that hold keys and values.
        n_kv_heads: Heads of keys and values.
        head_dim: Features of a head.
        seq_len: Tokens in each sequence.
        batch_size: Sequences.
        bytes_per_element: 2 for fp16 and bf16, 1 for 8 bits, 0.5 for 4 bits.

    Returns:
        Bytes; a GB is 1e9 of them, a GiB 2**30.

    Raises:
        ValueError: A size is below 0.

    Example:
        >>> llama_3_70b = kv_cache_bytes(n_layers=80, n_kv_heads=8, head_dim=128, seq_len=32_768)
        >>> f"{llama_3_70b / 1e9:.2f} GB = {llama_3_70b / 2**30:.2f} GiB"
        '10.74 GB = 10.00 GiB'
    """
    sizes = {"n_layers": n_layers, "n_kv_heads": n_kv_heads, "head_dim": head_dim, "seq_len": seq_len}
    for name, value in {**sizes, "batch_size": batch_size, "bytes_per_element": bytes_per_element}.items():
        if value < 0:
            raise ValueError(f"{name} is {value}: give 0 or more")
    return math.ceil(2 * n_layers * n_kv_heads * head_dim * seq_len * batch_size * bytes_per_element)


def left_pad(rows: Sequence[Sequence[int]], *, pad_token: int = 0) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
    r"""Put rows of different lengths into one batch, so that all end in the same column.

    Args:
        rows: Ids; none of them empty.
        pad_token: Stands before the shorter rows, and is never looked at.

    Returns:
        Tokens, and positions, which are negative where there is padding: :class:`KVCache` goes by that.

    Raises:
        ValueError: There is no row, or one is empty.

    Example:
        >>> left_pad([[5, 6, 7], [8]])
        (tensor([[5, 6, 7],
                [0, 0, 8]]), tensor([[ 0,  1,  2],
                [-2, -1,  0]]))
    """
    lengths = torch.tensor([len(row) for row in rows])
    if not rows or not all(rows):
        raise ValueError(f"rows have the lengths {lengths.tolist()}: give at least one, and no empty one")
    width = int(lengths.max())
    tokens = torch.tensor([[pad_token] * (width - len(row)) + list(row) for row in rows])
    return tokens, torch.arange(width) - (width - lengths)[:, None]


class KVCache:
    r"""All keys and values of a batch, in memory that is taken once.

    Fulfils :class:`llmcourse.architecture.Cache`. All rows grow together, and rows of different lengths end in the
    same column (:func:`left_pad`). A layer with a window (Mistral, arXiv:2310.06825, section 2) holds little more
    than its window. Latent attention's cache holds the latent and the shared rotated key (arXiv:2405.04434, 2.1.3).
    No gradient flows through what is stored.

    Args:
        config: Of the model that reads and writes it.
        batch_size: Rows.
        max_seq_len: Columns, padding among them; the model's ``max_seq_len`` unless given.
        dtype: Of keys and values: the model's.
        device: Likewise.

    Raises:
        ValueError: A size is below 1.

    Example:
        >>> model = Transformer(ModelConfig(vocab_size=50, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2))
        >>> cache = KVCache.of(model, max_seq_len=16)
        >>> _ = model(torch.tensor([[1, 2, 3]]), cache=cache)
        >>> model(torch.tensor([[4]]), cache=cache).shape, cache.n_tokens, cache.cache_bytes
        (torch.Size([1, 1, 50]), 4, 4096)
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        batch_size: int = 1,
        max_seq_len: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        self.max_seq_len = config.max_seq_len if max_seq_len is None else max_seq_len
        self.batch_size = batch_size
        if batch_size < 1 or self.max_seq_len < 1:
            raise ValueError(f"batch_size is {batch_size} and max_seq_len is {self.max_seq_len}: give 1 or more")
        heads, widths = config.n_kv_heads, (config.head_dim, config.head_dim)
        if config.latent is not None:
            heads, widths = 1, (config.latent.kv_rank, config.latent.rope_head_dim)
        self.layers = [
            _Columns(
                [(batch_size, heads, self.max_seq_len, width) for width in widths],
                window=config.window_of(layer),
                like=torch.empty(0, dtype=dtype, device=device),
            )
            for layer in range(config.n_layers)
        ]
        self.n_padding = torch.zeros(batch_size, dtype=torch.long, device=device)
        self._padded = False

    @classmethod
    def of(cls, model: Transformer, *, batch_size: int = 1, max_seq_len: int | None = None) -> Self:
        """Make a cache of a model's dtype, on its device; the arguments are those of the class."""
        like = model.embedding.weight
        return cls(model.config, batch_size=batch_size, max_seq_len=max_seq_len, dtype=like.dtype, device=like.device)

    @property
    def n_tokens(self) -> int | None:
        """Tokens held in each row; None where rows differ, so that positions have to be given."""
        return None if self._padded else self.layers[0].n

    @property
    def lengths(self) -> Int[Tensor, "B"]:
        """Tokens held in each row without padding: the position of its next token."""
        return (self.layers[0].n - self.n_padding).clamp(min=0)

    @property
    def cache_bytes(self) -> int:
        """Bytes that are taken, whether they hold tokens or not."""
        return sum(x.numel() * x.element_size() for layer in self.layers for x in layer.buffers)

    def update(
        self,
        layer: int,
        k: Float[Tensor, "B H_kv T head_dim"],
        v: Float[Tensor, "B H_kv T value_dim"],
        positions: Int[Tensor, "*B T"],
    ) -> tuple[Float[Tensor, "B H_kv S head_dim"], Float[Tensor, "B H_kv S value_dim"]]:
        """Store the keys and values of new tokens in a layer, and return those of all that it can still see.

        Args:
            layer: The layer's number, from 0.
            k: Keys, rotated already.
            v: Values.
            positions: (T,), or (B, T) with negative numbers where there is padding before a row's first token.

        Returns:
            Views of what is stored, new tokens last. The next call may change them.

        Raises:
            ValueError: No room is left, shapes or dtypes do not fit, or there is padding inside a row.
        """
        held = self.layers[layer]
        self._check(held, k, v)
        if layer == 0 and positions.ndim == 2:
            self._count_padding(positions)
        return held.append(k.detach(), v.detach())

    def mask(self, layer: int, positions: Int[Tensor, "*B T"]) -> Bool[Tensor, "B 1 T S"] | None:
        """Return what hides padding among the keys that :meth:`update` returned; None where there is none."""
        if not self._padded:
            return None
        held, n_new = self.layers[layer], positions.shape[-1]
        column = torch.arange(held.n - held.n_visible, held.n, device=self.n_padding.device)
        real = column >= self.n_padding[:, None]
        return real[:, None, None, :].expand(-1, 1, n_new, -1)

    def reset(self) -> None:
        """Forget everything, padding too, so that another batch can begin at position 0."""
        self.truncate(0)
        self.n_padding.zero_()
        self._padded = False

    def truncate(self, n_columns: int) -> None:
        r"""Forget the newest tokens, as when a draft of them was refused.

        Args:
            n_columns: Those that stay in each row, padding among them.

        Raises:
            ValueError: There are not so many, or a layer's window has let go of what it would have to see again.
        """
        for held in self.layers:
            held.check_truncate(n_columns)
        for held in self.layers:
            held.truncate(n_columns)

    def _count_padding(self, positions: Int[Tensor, "B T"]) -> None:
        before, is_padding = self.layers[0].n, positions < 0
        if not is_padding.any() and not self._padded:
            return
        begun = self.n_padding < before
        leading = is_padding.long().cumprod(-1)
        if (is_padding & begun[:, None]).any() or (leading != is_padding).any():
            raise ValueError(
                f"positions are {positions.tolist()} after {before} columns: padding, which is negative, "
                "stands before a row's first token only"
            )
        self.n_padding += leading.sum(-1)
        self._padded = True

    def _check(self, held: "_Columns", k: Tensor, v: Tensor) -> None:
        for new, buffer in zip((k, v), held.buffers, strict=True):
            batch, heads, _, width = buffer.shape
            if (new.shape[0], new.shape[1], new.shape[3]) != (batch, heads, width) or new.dtype != buffer.dtype:
                raise ValueError(
                    f"new keys or values have shape {tuple(new.shape)} and dtype {new.dtype}, and the cache ({batch}, "
                    f"{heads}, T, {width}) and {buffer.dtype}: make one with KVCache.of(model, batch_size=...)"
                )
        if held.n + k.shape[2] > self.max_seq_len:
            raise ValueError(
                f"{held.n} + {k.shape[2]} tokens are more than max_seq_len, {self.max_seq_len}: "
                "make a larger cache, or reset this one"
            )


class _Columns:
    """One layer's keys and values, of which the oldest leave where there is a window."""

    def __init__(self, shapes: list[tuple[int, int, int, int]], *, window: int | None, like: Tensor) -> None:
        self.window = window
        room = shapes[0][2] if window is None else min(shapes[0][2], window - 1 + _SLACK)
        self.buffers = [like.new_zeros(batch, heads, room, width) for batch, heads, _, width in shapes]
        self.room, self.n, self.n_dropped, self.n_visible = room, 0, 0, 0

    def append(self, *new: Tensor) -> tuple[Tensor, Tensor]:
        n_new, held = new[0].shape[2], self.n - self.n_dropped
        n_old = held if self.window is None else min(held, self.window - 1)
        self.n, self.n_visible = self.n + n_new, n_old + n_new
        if n_old + n_new > self.room:  # a chunk longer than the slack: used whole, and only its end is stored
            whole = [torch.cat([b[:, :, held - n_old : held], x], 2) for b, x in zip(self.buffers, new, strict=True)]
            for buffer, x in zip(self.buffers, whole, strict=True):
                buffer.copy_(x[:, :, -self.room :])
            self.n_dropped = self.n - self.room
            return whole[0], whole[1]
        if held + n_new > self.room:
            for buffer in self.buffers:  # clone: source and target may overlap
                buffer[:, :, :n_old] = buffer[:, :, held - n_old : held].clone()
            self.n_dropped += held - n_old
            held = n_old
        end = held + n_new
        for buffer, x in zip(self.buffers, new, strict=True):
            buffer[:, :, held:end] = x
        k, v = (buffer[:, :, end - self.n_visible : end] for buffer in self.buffers)
        return k, v

    def check_truncate(self, n: int) -> None:
        needed = n if self.window is None else min(n, self.window - 1)
        if not 0 <= n <= self.n or 0 < n < self.n_dropped + needed:
            raise ValueError(
                f"of {self.n} columns {n} cannot be kept, since the first {self.n_dropped} are gone and "
                f"{needed} before the next have to be seen: reset the cache, and read the text again"
            )

    def truncate(self, n: int) -> None:
        self.n_dropped = self.n_dropped if n else 0
        self.n = n
        self.n_visible = min(self.n_visible, n - self.n_dropped)
