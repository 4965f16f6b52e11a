"""Counts of parameters and FLOP, against real models and torch's counter."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from llmcourse.architecture import LatentAttentionConfig, ModelConfig, Transformer
from llmcourse.scaling import parameter_count, training_flops

SIZES = dict(vocab_size=40, d_model=32, n_layers=2, n_heads=4, max_seq_len=16)
LATENT = LatentAttentionConfig(kv_rank=12, q_rank=10, nope_head_dim=6, rope_head_dim=4, value_head_dim=7)
CONFIGS = {
    "plain": ModelConfig(**SIZES),
    "gqa": ModelConfig(**SIZES, n_kv_heads=2),
    "mqa, wide heads": ModelConfig(**SIZES, n_kv_heads=1, head_dim=12),
    "tied": ModelConfig(**SIZES, tie_embeddings=True),
    "biases": ModelConfig(**SIZES, n_kv_heads=2, qkv_bias=True, output_bias=True),
    "qk norm": ModelConfig(**SIZES, qk_norm=True),
    "gpt": ModelConfig(**SIZES, norm="layer", position_embedding="learned", feed_forward="gelu"),
    "latent": ModelConfig(**SIZES, latent=LATENT),
    "latent, direct queries": ModelConfig(
        **SIZES, latent=LatentAttentionConfig(kv_rank=12, nope_head_dim=6, rope_head_dim=4, value_head_dim=7)
    ),
}
CONFIGS |= {"window": ModelConfig(**SIZES, window=5)}


def numel(module: torch.nn.Module | None) -> int:
    return 0 if module is None else sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", CONFIGS)
def test_each_part_is_that_of_a_real_model(name: str) -> None:
    model, count = Transformer(CONFIGS[name]), parameter_count(CONFIGS[name])
    inner_norms = sum(
        parameter.numel() for key, parameter in model.named_parameters() if "attention." in key and "_norm." in key
    )
    assert count.total == numel(model)
    assert count.embedding == numel(model.embedding)
    assert count.position_embedding == numel(model.position_embedding)
    assert count.head == (0 if model.config.tie_embeddings else numel(model.output))
    assert count.feed_forward == sum(numel(block.feed_forward) for block in model.blocks)
    assert count.attention == sum(numel(block.attention) for block in model.blocks) - inner_norms
    outer = numel(model.norm) + sum(numel(b.attention_norm) + numel(b.feed_forward_norm) for b in model.blocks)
    assert count.norms == outer + inner_norms
    assert count.non_embedding == sum(numel(block) for block in model.blocks) + numel(model.norm)


def counted(config: ModelConfig, batch_size: int, seq_len: int) -> dict[str, int]:
    """Torch's count of a forward and backward pass, by the name of the module."""
    model = Transformer(config)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        logits = model(torch.randint(config.vocab_size, (batch_size, seq_len)))
        logits.sum().backward()
    found = {name: sum(flops.values()) for name, flops in counter.get_flop_counts().items()}
    return found | {"total": counter.get_total_flops()}


@pytest.mark.parametrize("name", CONFIGS)
def test_flops_are_those_that_torch_counts(name: str) -> None:
    config = CONFIGS[name]
    flops = training_flops(config, 3 * 16, seq_len=16)
    found = counted(config, 3, 16)
    assert flops.total == found["total"]
    assert flops.head == found["Transformer.output"]
    per_block = [found[f"Transformer.blocks.{layer}.feed_forward"] for layer in range(2)]
    assert flops.feed_forward == sum(per_block)
    attention = sum(found[f"Transformer.blocks.{layer}.attention"] for layer in range(2))
    assert flops.attention_projections + flops.attention_scores == attention
    assert flops.embedding == found.get("Transformer.embedding", 0) == 0


@pytest.mark.parametrize(("seq_len", "window"), [(7, None), (7, 3), (7, 7), (7, 20), (1, None)])
def test_causal_scores_are_the_pairs_that_a_mask_leaves(seq_len: int, window: int | None) -> None:
    config = ModelConfig(**SIZES, window=window)
    query, key = torch.arange(seq_len)[:, None], torch.arange(seq_len)
    allowed = (key <= query) & (query - key < (window or seq_len))
    causal, full = (training_flops(config, seq_len, seq_len=seq_len, causal=flag) for flag in (True, False))
    assert causal.attention_scores * seq_len**2 == full.attention_scores * int(allowed.sum())
    assert full.attention_scores == 12 * config.n_layers * config.d_model * seq_len * seq_len


def test_six_n_d_leaves_out_scores_and_counts_an_embedding_that_costs_nothing() -> None:
    config = ModelConfig(**SIZES)
    flops, count = training_flops(config, 160, seq_len=16), parameter_count(config)
    without_vectors = count.total - count.norms
    assert 6 * without_vectors * 160 == flops.total - flops.attention_scores + 6 * count.embedding * 160


def test_llama_2_70b_has_68_98_billion_parameters() -> None:
    config = ModelConfig(vocab_size=32_000, d_model=8192, n_layers=80, n_heads=64, n_kv_heads=8, d_ff=28_672)
    assert parameter_count(config).total == 68_976_648_192


def test_unknown_layers_and_broken_sequences_are_refused() -> None:
    with pytest.raises(ValueError, match="feed_forward is 'moe'"):
        parameter_count(ModelConfig(**SIZES, feed_forward="moe"))
    with pytest.raises(ValueError, match="tokens is 17 and seq_len 16"):
        training_flops(ModelConfig(**SIZES), 17)
