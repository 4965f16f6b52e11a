"""An explorer of shared heads: which queries share which keys and values, and what the cache of them costs."""

from pathlib import Path
from typing import Any

import traitlets

from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["HeadSharing"]

_HERE = Path(__file__).parent


class HeadSharing(StaticWidget):
    r"""Choose how many heads of keys and values serve the query heads, and see the groups and the bytes of a cache.

    A cache holds 2 * n_layers * n_kv_heads * head_dim * seq_len * batch_size numbers: keys and values of every token.

    Args:
        n_heads: Query heads, at most 128.
        n_kv_heads: Heads of keys and values; a divisor of ``n_heads``.
        n_layers: Blocks.
        head_dim: Features of a head; not always the model's width over its heads.
        seq_len: Tokens in the cache.
        batch_size: Sequences in the cache.
        bytes_per_element: 2 for bf16.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is below 1, or heads cannot be shared equally.

    Examples:
        >>> llama2_70b = HeadSharing(64, 8, n_layers=80, head_dim=128, seq_len=4096)
        >>> llama2_70b.cache_bytes / 2**30
        1.25
        >>> llama2_70b
        HeadSharing(64 query heads, 8 KV heads, 1.25 GiB)
    """

    _esm = _HERE / "head_sharing.js"
    _css = styled(_HERE / "head_sharing.css")
    caption = "An interactive figure, the head-sharing explorer: it runs in the book's pages and in JupyterLab."

    n_heads = traitlets.Int(32).tag(sync=True)
    n_kv_heads = traitlets.Int(8).tag(sync=True)
    n_layers = traitlets.Int(32).tag(sync=True)
    head_dim = traitlets.Int(128).tag(sync=True)
    seq_len = traitlets.Int(8192).tag(sync=True)
    batch_size = traitlets.Int(1).tag(sync=True)
    bytes_per_element = traitlets.Int(2).tag(sync=True)

    def __init__(
        self,
        n_heads: int,
        n_kv_heads: int,
        *,
        n_layers: int,
        head_dim: int,
        seq_len: int,
        batch_size: int = 1,
        bytes_per_element: int = 2,
        **traits: Any,
    ) -> None:
        sizes = {
            "n_heads": n_heads, "n_kv_heads": n_kv_heads, "n_layers": n_layers, "head_dim": head_dim,
            "seq_len": seq_len, "batch_size": batch_size, "bytes_per_element": bytes_per_element,
        }  # fmt: skip
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name} is {value}: it has to be at least 1")
        if n_heads > 128:
            raise ValueError(f"n_heads is {n_heads}: at most 128 can be drawn")
        if n_heads % n_kv_heads:
            raise ValueError(f"n_heads is {n_heads} and n_kv_heads is {n_kv_heads}: give a divisor")
        super().__init__(**sizes, **traits)

    @property
    def cache_bytes(self) -> int:
        """Bytes of a cache of keys and values."""
        per_token = 2 * self.n_layers * self.n_kv_heads * self.head_dim * self.bytes_per_element
        return per_token * self.seq_len * self.batch_size

    @property
    def groups(self) -> list[int]:
        """For each query head, the head of keys and values that it reads."""
        return [head // (self.n_heads // self.n_kv_heads) for head in range(self.n_heads)]

    def __repr__(self) -> str:
        gib = f"{self.cache_bytes / 2**30:.3g} GiB"
        return f"HeadSharing({self.n_heads} query heads, {self.n_kv_heads} KV heads, {gib})"
