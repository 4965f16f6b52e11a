"""Bytes and operations of blueprints against a cache that is built and torch's counter of operations."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from llmcourse.architecture import LatentAttentionConfig, ModelConfig, Transformer
from llmcourse.inference import KVCache
from llmcourse.lineage import Blueprint, Experts, flops_of_token, kv_bytes, kv_bytes_per_token, parameter_parts

SIZES = {"vocab_size": 96, "d_model": 32, "n_layers": 3, "n_heads": 4, "n_kv_heads": 2, "head_dim": 16, "d_ff": 80}
LATENT = LatentAttentionConfig(kv_rank=8, q_rank=12, nope_head_dim=6, rope_head_dim=4, value_head_dim=10)


@pytest.mark.parametrize("latent", [None, LATENT])
def test_a_cache_takes_so_many_bytes(latent: LatentAttentionConfig | None) -> None:
    heads = {"n_kv_heads": 4, "head_dim": 10} if latent else {}
    blueprint = Blueprint(**SIZES | heads, latent=latent)
    cache = KVCache(ModelConfig(**SIZES | heads, latent=latent), max_seq_len=7, dtype=torch.bfloat16)
    assert kv_bytes(blueprint, 7) == cache.cache_bytes == 7 * kv_bytes_per_token(blueprint)


def test_a_window_stops_the_growth_of_its_layers_only() -> None:
    blueprint = Blueprint(**SIZES, window=5, full_every=3)
    per_layer = 2 * 2 * 16 * 2
    assert kv_bytes(blueprint, 4) == 3 * 4 * per_layer
    assert kv_bytes(blueprint, 100) == (2 * 5 + 100) * per_layer
    assert kv_bytes(blueprint, 100, bytes_per_element=0.5) * 4 == kv_bytes(blueprint, 100)
    with pytest.raises(ValueError, match=r"seq_len is -1"):
        kv_bytes(blueprint, -1)


@pytest.mark.parametrize("options", [{}, {"tie_embeddings": True}, {"qkv_bias": True, "output_bias": True}])
def test_operations_are_those_that_torch_counts(options: dict[str, bool]) -> None:
    model, blueprint = Transformer(ModelConfig(**SIZES, **options)), Blueprint(**SIZES, **options)
    # The counter does not know the CPU's fused kernel.
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(torch.zeros(1, 1, dtype=torch.long))
    assert flops_of_token(blueprint, 1) == counter.get_total_flops()
    assert flops_of_token(blueprint, 11) - flops_of_token(blueprint, 1) == 10 * 3 * 2 * 2 * 4 * 16
    with pytest.raises(ValueError, match=r"seq_len is -1"):
        flops_of_token(blueprint, -1)


def test_experts_cost_what_a_token_uses() -> None:
    """GPT-OSS's experts have biases: they are held, and a multiplication with them there is none."""
    experts = Experts(n_experts=8, top_k=2, d_expert=12, biases=True)
    with_experts, without = (
        Blueprint(**SIZES | {"d_ff": 24}, experts=experts),
        Blueprint(**SIZES | {"d_ff": 24}),
    )
    assert flops_of_token(with_experts) - flops_of_token(without) == 2 * 3 * 32 * 8  # the routers
    parts = parameter_parts(with_experts)
    assert parts.vectors == 3 * (8 + 2 * (2 * 12 + 32))
