from dataclasses import replace

import pytest
import torch

from llmcourse.architecture import LatentAttentionConfig, ModelConfig
from llmcourse.inference import KVCache, estimate_vram, weight_bytes

LLAMA_70B = ModelConfig(vocab_size=128_256, d_model=8192, n_layers=80, n_heads=64, n_kv_heads=8, d_ff=28_672)


def test_weights_of_70b():
    assert weight_bytes(70e9, bits=4) == 35_000_000_000
    assert weight_bytes(70e9) == weight_bytes(70e9, bits=16) == 140_000_000_000
    assert weight_bytes(70_553_706_496, bits=4) == 35_276_853_248  # of Llama 3 70B as it is
    assert weight_bytes(3, bits=4) == 2


def test_cache_is_the_caches_own(variant):
    config = variant.config
    for seq_len in (2, 40):
        found = estimate_vram(config, seq_len=seq_len, batch_size=3, kv_bits=32).kv_cache_bytes
        cache = KVCache(config, batch_size=3, max_seq_len=seq_len)
        # A window's slack is the cache's, not the model's.
        held = [min(seq_len, config.window_of(layer) or seq_len) for layer in range(config.n_layers)]
        exact = sum(
            x.numel() // x.shape[2] * n * 4 for n, layer in zip(held, cache.layers, strict=True) for x in layer.buffers
        )
        assert found == exact


def test_weights_are_the_models_own(variants):
    for model in (variants[name] for name in variants if "latent" not in name):
        stored = sum(p.numel() * p.element_size() for p in model.parameters())
        assert estimate_vram(model.config, seq_len=8, bits=32).weight_bytes == stored


@pytest.mark.parametrize("n_gpus", [1, 2, 4, 8])
def test_tensor_parallelism_shares_weights_and_cache(n_gpus):
    whole = estimate_vram(LLAMA_70B, seq_len=32_768, n_parameters=70e9)
    part = estimate_vram(LLAMA_70B, seq_len=32_768, n_parameters=70e9, n_gpus=n_gpus)
    assert part.weight_bytes == 140_000_000_000 // n_gpus
    assert part.kv_cache_bytes == 10 * 2**30 // n_gpus
    assert part.overhead_bytes == whole.overhead_bytes and part.activation_bytes * n_gpus >= whole.activation_bytes


def test_a_key_value_head_is_not_cut_and_a_latent_stands_everywhere():
    eight, sixteen = (estimate_vram(LLAMA_70B, seq_len=4096, n_gpus=n).kv_cache_bytes for n in (8, 16))
    assert eight == sixteen == 2 * 80 * 128 * 4096 * 2
    latent = LatentAttentionConfig(kv_rank=512, q_rank=1536, nope_head_dim=128, rope_head_dim=64, value_head_dim=128)
    deepseek = ModelConfig(vocab_size=129_280, d_model=7168, n_layers=61, n_heads=128, latent=latent)
    for n_gpus in (1, 8):
        found = estimate_vram(deepseek, seq_len=1000, n_gpus=n_gpus, n_parameters=671e9)
        assert found.kv_cache_bytes == 70_272 * 1000


def test_total_and_both_units():
    found = estimate_vram(LLAMA_70B, seq_len=8192, bits=4, n_gpus=2)
    parts = (found.weight_bytes, found.kv_cache_bytes, found.activation_bytes, found.overhead_bytes)
    assert found.total_bytes == sum(parts)
    assert found.total_gb == pytest.approx(found.total_gib * 1.073741824)
    assert "GB" in str(found) and "GiB" in str(found)


def test_chunks_bound_the_activations():
    whole, half, one = (estimate_vram(LLAMA_70B, seq_len=8192, chunk=n).activation_bytes for n in (None, 4096, 1))
    assert whole == 2 * half > 1000 * one
    assert estimate_vram(LLAMA_70B, seq_len=10, chunk=99) == estimate_vram(LLAMA_70B, seq_len=10)
    assert whole == 8192 * (2 * 8192 + 3 * 28_672) * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seq_len": 0}, "seq_len is 0"),
        ({"seq_len": 1, "n_gpus": 3}, "n_gpus is 3 and n_heads is 64"),
        ({"seq_len": 1, "bits": -4}, "bits is -4"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        estimate_vram(LLAMA_70B, **options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("d_ff", [8192, 2048])
def test_measured_on_a_gpu(make_model, d_ff):
    config = ModelConfig(vocab_size=8192, d_model=2048, n_layers=8, n_heads=16, n_kv_heads=4, d_ff=d_ff)
    from llmcourse.architecture import Transformer

    with torch.device("cuda"), torch.no_grad():
        before = torch.cuda.memory_allocated()
        model = Transformer(replace(config)).to(torch.bfloat16)
        cache = KVCache.of(model, batch_size=4, max_seq_len=2048)
        torch.cuda.reset_peak_memory_stats()
        model.output(model.hidden(torch.zeros(4, 2048, dtype=torch.long), cache=cache)[:, -1])
        measured = torch.cuda.max_memory_allocated() - before
    estimate = estimate_vram(config, seq_len=2048, batch_size=4, overhead_bytes=0)
    assert estimate.total_bytes == pytest.approx(measured, rel=0.05)
