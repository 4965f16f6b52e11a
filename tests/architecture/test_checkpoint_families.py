import pytest

from llmcourse.architecture import CHECKPOINT_FAMILIES, ModelConfig
from llmcourse.architecture.checkpoint_families import family_for, family_named, tensor_name

SIZES = {"vocab_size": 32, "d_model": 16, "n_layers": 3, "n_heads": 4, "n_kv_heads": 2}


@pytest.mark.parametrize(
    ("options", "model_type"),
    [
        ({}, "llama"),
        ({"qkv_bias": True, "output_bias": True}, "llama"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "llama"),
        ({"window": 8}, "mistral"),
        ({"qkv_bias": True}, "qwen2"),
        ({"qkv_bias": True, "window": (None, 8, 8)}, "qwen2"),
        ({"window": (8, None, 8), "qk_norm": True}, "qwen3"),
    ],
)
def test_the_first_family_that_can_say_it_all(options, model_type):
    config = ModelConfig(**SIZES, **options)
    family = family_for(config)
    assert family.model_type == model_type and family.read(family.write(config)) == config


def test_no_family():
    with pytest.raises(ValueError, match=r"llama cannot hold attention_scale=0.5; mistral cannot hold"):
        family_for(ModelConfig(**SIZES, attention_scale=0.5))
    with pytest.raises(ValueError, match="model_type is 3"):
        family_named(3)


def test_defaults_where_old_files_are_silent():
    given = {"vocab_size": 32, "hidden_size": 512, "intermediate_size": 64, "num_hidden_layers": 1}
    given |= {"num_attention_heads": 32, "max_position_embeddings": 128}
    sizes = {
        name: family.read(given)
        for name, family in CHECKPOINT_FAMILIES.items()
        if name in {"llama", "mistral", "qwen3"}
    }
    assert {name: c.n_kv_heads for name, c in sizes.items()} == {"llama": 32, "mistral": 8, "qwen3": 32}
    assert {name: c.head_dim for name, c in sizes.items()} == {"llama": 16, "mistral": 16, "qwen3": 128}
    assert sizes["llama"].rope_theta == 10000.0 and sizes["llama"].norm_eps == 1e-6


def test_tensor_names():
    assert tensor_name("embedding.weight") == "model.embed_tokens.weight"
    assert tensor_name("blocks.12.attention.q.bias") == "model.layers.12.self_attn.q_proj.bias"
