"""Chapter 2: the Transformer, block by block, and real checkpoints in it."""

from llmcourse.architecture.attention import Attention
from llmcourse.architecture.attention_scores import (
    attention_mask,
    attention_weights,
    expand_kv_heads,
    scaled_dot_product_attention,
)
from llmcourse.architecture.cache import Cache
from llmcourse.architecture.checkpoint import load_huggingface, save_huggingface
from llmcourse.architecture.checkpoint_families import CHECKPOINT_FAMILIES, Family, register_checkpoint_family
from llmcourse.architecture.config import LatentAttentionConfig, ModelConfig
from llmcourse.architecture.feed_forward import (
    FEED_FORWARDS,
    GeluMLP,
    SwiGLU,
    make_feed_forward,
    register_feed_forward,
    swiglu,
)
from llmcourse.architecture.flash_attention import flash_attention
from llmcourse.architecture.generation import generate
from llmcourse.architecture.latent_attention import LatentAttention
from llmcourse.architecture.layer_norm import LayerNorm, layer_norm
from llmcourse.architecture.linear_cross_entropy import linear_cross_entropy
from llmcourse.architecture.lora import LoRA, add_lora, lora_layers, remove_lora
from llmcourse.architecture.rms_norm import RMSNorm, rms_norm
from llmcourse.architecture.rope import RotaryEmbedding, apply_rope, convert_pairing, rope_frequencies, rotate
from llmcourse.architecture.rope_scaling import ROPE_SCALINGS, register_rope_scaling, scale_frequencies
from llmcourse.architecture.sampling import filter_logits, sample
from llmcourse.architecture.transformer import Block, Transformer

__all__ = [
    "CHECKPOINT_FAMILIES",
    "FEED_FORWARDS",
    "ROPE_SCALINGS",
    "Attention",
    "Block",
    "Cache",
    "Family",
    "GeluMLP",
    "LatentAttention",
    "LatentAttentionConfig",
    "LayerNorm",
    "LoRA",
    "ModelConfig",
    "RMSNorm",
    "RotaryEmbedding",
    "SwiGLU",
    "Transformer",
    "add_lora",
    "apply_rope",
    "attention_mask",
    "attention_weights",
    "convert_pairing",
    "expand_kv_heads",
    "filter_logits",
    "flash_attention",
    "generate",
    "layer_norm",
    "linear_cross_entropy",
    "load_huggingface",
    "lora_layers",
    "make_feed_forward",
    "register_checkpoint_family",
    "register_feed_forward",
    "register_rope_scaling",
    "remove_lora",
    "rms_norm",
    "rope_frequencies",
    "rotate",
    "sample",
    "save_huggingface",
    "scale_frequencies",
    "scaled_dot_product_attention",
    "swiglu",
]
