"""What the tests of inference share: a small model whose weights are large enough that a mistake shows."""

import pytest
import torch

from llmcourse.architecture import LatentAttentionConfig, ModelConfig, Transformer

SIZES = {"vocab_size": 61, "d_model": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "d_ff": 48, "max_seq_len": 64}
LATENT = LatentAttentionConfig(kv_rank=12, q_rank=10, nope_head_dim=6, rope_head_dim=4, value_head_dim=5)
LLAMA3 = {"type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_seq_len": 32}
VARIANTS = {
    "grouped": {},
    "multi_head": {"n_kv_heads": 4},
    "multi_query": {"n_kv_heads": 1},
    "wide_heads": {"head_dim": 20},
    "window": {"window": 3},
    "window_of_one_layer": {"window": (4, None)},
    "bias_and_norm": {"qkv_bias": True, "output_bias": True, "qk_norm": True},
    "learned": {"position_embedding": "learned", "norm": "layer", "feed_forward": "gelu"},
    "no_positions": {"position_embedding": "none"},
    "interleaved": {"tie_embeddings": True, "rope_pairing": "interleaved", "attention_scale": 0.3},
    "scaled_rope": {"rope_scaling": {"type": "linear", "factor": 4.0}, "rope_theta": 500.0},
    "latent": {"latent": LATENT, "n_kv_heads": 4},
    "latent_window": {"latent": LATENT, "n_kv_heads": 4, "window": 3},
}


def random_model(seed=0, **options):
    """A model of the small sizes, or with other options."""
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(ModelConfig(**SIZES | options))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.15, generator=generator)
        else:
            torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
    return model.requires_grad_(False)


@pytest.fixture
def model():
    return random_model()


@pytest.fixture
def make_model():
    return random_model


@pytest.fixture(scope="session")
def variants():
    return {name: random_model(**options) for name, options in VARIANTS.items()}


@pytest.fixture(params=VARIANTS)
def variant(request, variants):
    return variants[request.param]
