"""Attention as a layer: MHA, GQA and MQA in one class, with what real models add to it."""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.architecture.attention_scores import scaled_dot_product_attention
from llmcourse.architecture.cache import Cache, read_and_write
from llmcourse.architecture.config import ModelConfig
from llmcourse.architecture.rms_norm import RMSNorm
from llmcourse.architecture.rope import rotate

__all__ = ["Attention"]

Rotation = tuple[Tensor, Tensor]


class Attention(nn.Module):
    r"""Multi-head attention whose query heads share ``n_kv_heads`` heads of keys and values.

    Multi-head: Vaswani et al. 2017 (arXiv:1706.03762). One head of keys and values for all: Shazeer 2019
    (arXiv:1911.02150). Groups: Ainslie et al. 2023 (arXiv:2305.13245). The three differ in ``n_kv_heads`` alone.

    Args:
        config: Sizes, and whether there are biases, norms of queries and keys, and a window.
        layer: The layer's number, from 0, by which a cache knows it.

    Example:
        >>> import torch
        >>> config = ModelConfig(vocab_size=8, d_model=16, n_layers=1, n_heads=4, n_kv_heads=2)
        >>> Attention(config)(torch.zeros(1, 3, 16)).shape
        torch.Size([1, 3, 16])
    """

    def __init__(self, config: ModelConfig, layer: int = 0) -> None:
        super().__init__()
        self.head_dim, self.pairing, self.scale = config.head_dim, config.rope_pairing, config.attention_scale
        self.layer, self.window = layer, config.window_of(layer)
        kv_width, q_width = config.n_kv_heads * config.head_dim, config.n_heads * config.head_dim
        self.q = nn.Linear(config.d_model, q_width, bias=config.qkv_bias)
        self.k = nn.Linear(config.d_model, kv_width, bias=config.qkv_bias)
        self.v = nn.Linear(config.d_model, kv_width, bias=config.qkv_bias)
        self.out = nn.Linear(q_width, config.d_model, bias=config.output_bias)
        self.q_norm = RMSNorm(config.head_dim, eps=config.norm_eps) if config.qk_norm else None
        self.k_norm = RMSNorm(config.head_dim, eps=config.norm_eps) if config.qk_norm else None

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        rotation: Rotation | None = None,
        *,
        mask: Bool[Tensor, "*#batch T S"] | None = None,
        cache: Cache | None = None,
        positions: Int[Tensor, "*B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Let each token look at itself and at those before it.

        Args:
            x: One vector for each token.
            rotation: Cosines and sines of the tokens' angles; None rotates nothing.
            mask: Hides more than causality and the window do; True where attention is allowed.
            cache: Holds the keys and values of earlier tokens.
            positions: Of the tokens; the cache may need them.

        Returns:
            What each token found, in the width of the model.
        """
        q, k, v = self._heads(self.q(x)), self._heads(self.k(x)), self._heads(self.v(x))  # (B, H, T, head_dim)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotate(q, *rotation, pairing=self.pairing), rotate(k, *rotation, pairing=self.pairing)
        if cache is not None:
            k, v, mask = read_and_write(cache, self.layer, k, v, positions, mask)
        mixed = scaled_dot_product_attention(q, k, v, mask=mask, causal=True, scale=self.scale, window=self.window)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _heads(self, x: Float[Tensor, "B T width"]) -> Float[Tensor, "B H T head_dim"]:
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
