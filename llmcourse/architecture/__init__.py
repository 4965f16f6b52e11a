"""Chapter 2: the Transformer, block by block, and real checkpoints in it."""

from llmcourse.architecture.attention import Attention
from llmcourse.architecture.attention_scores import (
    attention_mask,
    attention_weights,
    expand_kv_heads,
    scaled_dot_product_attention,
)
from llmcourse.architecture.cache import Cache
from llmcourse.architecture.config import LatentAttentionConfig, ModelConfig
from llmcourse.architecture.feed_forward import (
    FEED_FORWARDS,
    GeluMLP,
    SwiGLU,
    make_feed_forward,
    register_feed_forward,
    swiglu,
)
from llmcourse.architecture.latent_attention import LatentAttention
from llmcourse.architecture.layer_norm import LayerNorm, layer_norm
from llmcourse.architecture.rms_norm import RMSNorm, rms_norm
from llmcourse.architecture.rope import RotaryEmbedding, apply_rope, convert_pairing, rope_frequencies, rotate
from llmcourse.architecture.rope_scaling import ROPE_SCALINGS, register_rope_scaling, scale_frequencies
from llmcourse.architecture.transformer import Block, Transformer

__all__ = [
    "FEED_FORWARDS",
    "ROPE_SCALINGS",
    "Attention",
    "Block",
    "Cache",
    "GeluMLP",
    "LatentAttention",
    "LatentAttentionConfig",
    "LayerNorm",
    "ModelConfig",
    "RMSNorm",
    "RotaryEmbedding",
    "SwiGLU",
    "Transformer",
    "apply_rope",
    "attention_mask",
    "attention_weights",
    "convert_pairing",
    "expand_kv_heads",
    "layer_norm",
    "make_feed_forward",
    "register_feed_forward",
    "register_rope_scaling",
    "rms_norm",
    "rope_frequencies",
    "rotate",
    "scale_frequencies",
    "scaled_dot_product_attention",
    "swiglu",
]
