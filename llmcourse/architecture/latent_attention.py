"""Multi-head latent attention: keys and values come from one narrow vector per token, which is all that is cached."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.architecture.attention_scores import scaled_dot_product_attention
from llmcourse.architecture.cache import Cache, read_and_write
from llmcourse.architecture.config import LatentAttentionConfig, ModelConfig
from llmcourse.architecture.rms_norm import RMSNorm
from llmcourse.architecture.rope import rotate

__all__ = ["LatentAttention"]


class LatentAttention(nn.Module):
    r"""Attention through a compressed latent (DeepSeek-V2, arXiv:2405.04434, section 2.1; V3, arXiv:2412.19437).

    Notation: ``kv_down`` is the paper's W^DKV and W^KR in one matrix, ``kv_up`` its W^UK and W^UV, ``q_down`` and
    ``q_up`` its W^DQ, W^UQ and W^QR, ``out`` its W^O. The latent c^KV is normalised before it is used and cached.

    Rotation would stand between ``kv_up`` and the queries and keep them from being folded into one matrix. So the
    position has features of its own: a key that all heads share, beside the heads' keys that carry none.

    Args:
        config: Sizes, with ``latent`` among them.
        layer: The layer's number, from 0, by which a cache knows it.

    Raises:
        ValueError: The configuration has no ``latent``.

    Cost: a cache holds ``kv_rank + rope_head_dim`` numbers for each token and layer, whatever the number of heads.
    """

    def __init__(self, config: ModelConfig, layer: int = 0) -> None:
        super().__init__()
        if config.latent is None:
            raise ValueError("latent is None: give the configuration a LatentAttentionConfig")
        self.widths: LatentAttentionConfig = config.latent
        self.pairing, self.scale = config.rope_pairing, config.attention_scale
        self.layer, self.window = layer, config.window_of(layer)
        widths, n_heads = config.latent, config.n_heads
        if widths.q_rank is None:
            self.q = nn.Linear(config.d_model, n_heads * config.head_dim, bias=False)
        else:
            self.q_down = nn.Linear(config.d_model, widths.q_rank, bias=False)
            self.q_norm = RMSNorm(widths.q_rank, eps=config.norm_eps)
            self.q_up = nn.Linear(widths.q_rank, n_heads * config.head_dim, bias=False)
        self.kv_down = nn.Linear(config.d_model, widths.kv_rank + widths.rope_head_dim, bias=False)
        self.kv_norm = RMSNorm(widths.kv_rank, eps=config.norm_eps)
        self.kv_up = nn.Linear(widths.kv_rank, n_heads * (widths.nope_head_dim + widths.value_head_dim), bias=False)
        self.out = nn.Linear(n_heads * widths.value_head_dim, config.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        rotation: tuple[Tensor, Tensor],
        *,
        mask: Bool[Tensor, "*#batch T S"] | None = None,
        cache: Cache | None = None,
        positions: Int[Tensor, "*B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Let each token look at itself and at those before it.

        Args:
            x: One vector for each token.
            rotation: Cosines and sines of the tokens' angles.
            mask: Hides more than causality does; True where attention is allowed.
            cache: Holds the latents and the shared rotated keys of earlier tokens.
            positions: Of the tokens; the cache may need them.

        Returns:
            What each token found, in the width of the model.
        """
        widths = self.widths
        latent, k_rope = self.kv_down(x).unsqueeze(1).split([widths.kv_rank, widths.rope_head_dim], dim=-1)
        latent, k_rope = self.kv_norm(latent), rotate(k_rope, *rotation, pairing=self.pairing)  # one head each
        if cache is not None:
            latent, k_rope, mask = read_and_write(cache, self.layer, latent, k_rope, positions, mask)
        q, (k, v) = self._queries(x, rotation), self._keys_and_values(latent, k_rope)
        mixed = scaled_dot_product_attention(q, k, v, mask=mask, causal=True, scale=self.scale, window=self.window)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _queries(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Float[Tensor, "B H T head_dim"]:
        widths = self.widths
        q = self.q(x) if widths.q_rank is None else self.q_up(self.q_norm(self.q_down(x)))
        q = q.unflatten(-1, (-1, widths.nope_head_dim + widths.rope_head_dim)).transpose(1, 2)
        q_nope, q_rope = q.split([widths.nope_head_dim, widths.rope_head_dim], dim=-1)
        return torch.cat([q_nope, rotate(q_rope, *rotation, pairing=self.pairing)], dim=-1)

    def _keys_and_values(self, latent: Tensor, k_rope: Tensor) -> tuple[Tensor, Tensor]:
        widths = self.widths
        kv = self.kv_up(latent.squeeze(1)).unflatten(-1, (-1, widths.nope_head_dim + widths.value_head_dim))
        k_nope, v = kv.transpose(1, 2).split([widths.nope_head_dim, widths.value_head_dim], dim=-1)
        shared = k_rope.expand(-1, k_nope.shape[1], -1, -1)
        return torch.cat([k_nope, shared], dim=-1), v
