from dataclasses import FrozenInstanceError, replace

import pytest

from llmcourse.architecture import LatentAttentionConfig, ModelConfig

SIZES = {"vocab_size": 32, "d_model": 64, "n_layers": 2, "n_heads": 4}
LATENT = {"kv_rank": 8, "nope_head_dim": 6, "rope_head_dim": 4, "value_head_dim": 5}


def test_what_is_not_given_is_worked_out():
    config = ModelConfig(**SIZES)
    assert (config.n_kv_heads, config.head_dim, config.d_ff) == (4, 16, 176)
    assert ModelConfig(**SIZES, feed_forward="gelu").d_ff == 256
    assert ModelConfig(**SIZES, latent=LatentAttentionConfig(**LATENT)).head_dim == 10
    assert ModelConfig(**SIZES, head_dim=20).head_dim == 20


def test_swiglu_and_gelu_have_about_as_many_parameters_by_default():
    for d_model in (64, 96, 256, 512):
        sizes = SIZES | {"d_model": d_model}
        swiglu, gelu = 3 * ModelConfig(**sizes).d_ff, 2 * ModelConfig(**sizes, feed_forward="gelu").d_ff
        assert gelu <= swiglu <= gelu + 24


def test_it_is_frozen_hashable_and_keeps_its_own_copies():
    scaling = {"type": "linear", "factor": 2.0}
    config = ModelConfig(**SIZES, rope_scaling=scaling)
    scaling["factor"] = 3.0
    assert config.rope_scaling == {"type": "linear", "factor": 2.0}
    assert hash(config) == hash(replace(config)) and config == replace(config)
    with pytest.raises(FrozenInstanceError):
        config.d_model = 1


def test_windows_by_layer():
    config = ModelConfig(**SIZES, window=[None, 8])
    assert [config.window_of(layer) for layer in range(2)] == [None, 8]
    assert ModelConfig(**SIZES, window=8).window_of(1) == 8


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocab_size": 0}, "vocab_size is 0"),
        ({"d_model": 64.0}, "d_model is 64.0"),
        ({"n_layers": True}, "n_layers is True"),
        ({"n_heads": -4}, "n_heads is -4"),
        ({"n_kv_heads": 3}, "n_heads is 4 and n_kv_heads is 3"),
        ({"n_kv_heads": 0}, "n_kv_heads is 0"),
        ({"d_model": 66}, "give head_dim"),
        ({"head_dim": 7}, "head_dim is 7"),
        ({"d_ff": 0}, "d_ff is 0"),
        ({"window": 0}, "window is 0"),
        ({"window": (4,)}, "1 entries for 2 layers"),
        ({"norm": "batch"}, "norm is 'batch': choose one of 'rms', 'layer'"),
        ({"position_embedding": "alibi"}, "position_embedding is 'alibi'"),
        ({"rope_pairing": "thirds"}, "rope_pairing is 'thirds'"),
        ({"rope_theta": 0}, "rope_theta is 0"),
        ({"norm_eps": -1.0}, "norm_eps is -1.0"),
        ({"rope_scaling": {"factor": 2.0}}, "needs a 'type'"),
        ({"latent": LatentAttentionConfig(**LATENT), "head_dim": 16}, "head_dim is 16"),
        ({"latent": LatentAttentionConfig(**LATENT), "n_kv_heads": 2}, "n_kv_heads is 2"),
        ({"latent": LatentAttentionConfig(**LATENT), "qk_norm": True}, "qk_norm is True"),
        ({"latent": LatentAttentionConfig(**LATENT), "position_embedding": "none"}, "position_embedding is 'none'"),
    ],
)
def test_refusals_quote_the_value(fields, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**SIZES | fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"kv_rank": 0}, "kv_rank is 0"), ({"q_rank": -1}, "q_rank is -1"), ({"rope_head_dim": 3}, "is 3")],
)
def test_latent_refusals(fields, message):
    with pytest.raises(ValueError, match=message):
        LatentAttentionConfig(**LATENT | fields)
