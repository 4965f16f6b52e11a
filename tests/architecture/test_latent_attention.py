import pytest
import torch

from llmcourse.architecture import LatentAttention, LatentAttentionConfig, ModelConfig, RotaryEmbedding, Transformer

WIDTHS = {"kv_rank": 12, "nope_head_dim": 6, "rope_head_dim": 4, "value_head_dim": 5}


def made(q_rank, pairing="interleaved"):
    latent = LatentAttentionConfig(**WIDTHS, q_rank=q_rank)
    config = ModelConfig(
        vocab_size=8, d_model=24, n_layers=2, n_heads=3, latent=latent, rope_pairing=pairing, norm_eps=1e-6
    )
    torch.manual_seed(0)
    attention = LatentAttention(config)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return attention, config


@pytest.mark.parametrize("q_rank", [None, 10])
@pytest.mark.parametrize("pairing", ["interleaved", "half"])
def test_as_transformers_deepseek_v3(q_rank, pairing):
    deepseek = pytest.importorskip("transformers.models.deepseek_v3.modeling_deepseek_v3")
    attention, config = made(q_rank, pairing)
    theirs_config = deepseek.DeepseekV3Config(
        hidden_size=24,
        num_attention_heads=3,
        num_key_value_heads=3,
        q_lora_rank=q_rank,
        kv_lora_rank=12,
        qk_nope_head_dim=6,
        qk_rope_head_dim=4,
        v_head_dim=5,
        rope_interleave=pairing == "interleaved",
        attn_implementation="eager",
    )
    theirs = deepseek.DeepseekV3Attention(theirs_config, 0)
    names = {"kv_down": "kv_a_proj_with_mqa", "kv_norm": "kv_a_layernorm", "kv_up": "kv_b_proj", "out": "o_proj"}
    names |= (
        {"q": "q_proj"} if q_rank is None else {"q_down": "q_a_proj", "q_norm": "q_a_layernorm", "q_up": "q_b_proj"}
    )
    theirs.load_state_dict({f"{names[k.split('.')[0]]}.weight": v for k, v in attention.state_dict().items()})
    x, positions = torch.randn(2, 7, 24), torch.arange(7)[None]
    rotary = deepseek.DeepseekV3RotaryEmbedding(theirs_config)
    hidden = torch.full((7, 7), -torch.inf).triu(1)[None, None]
    expected = theirs(x, position_embeddings=rotary(x, positions), attention_mask=hidden)[0]
    ours = attention(x, RotaryEmbedding(config)(positions[0]))
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("q_rank", [None, 10])
def test_the_cache_holds_the_latent_and_one_key_and_gives_what_the_whole_gives(q_rank, make_cache):
    attention, config = made(q_rank)
    rotary, cache, x = RotaryEmbedding(config), make_cache(), torch.randn(2, 6, 24)
    whole = attention(x, rotary(torch.arange(6)))
    parts = [
        attention(x[:, part], rotary(torch.arange(6)[part]), cache=cache, positions=torch.arange(6)[part])
        for part in (slice(0, 3), slice(3, 4), slice(4, 6))
    ]
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-5, atol=1e-5)
    latent, key = cache.layers[0]
    assert latent.shape == (2, 1, 6, 12) and key.shape == (2, 1, 6, 4)


def test_a_model_of_it_is_causal_and_trains():
    model = Transformer(made(10)[1])
    tokens = torch.randint(8, (2, 6))
    logits = model(tokens)
    changed = tokens.clone()
    changed[:, 4] = (changed[:, 4] + 1) % 8
    assert torch.allclose(model(changed)[:, :4], logits[:, :4], atol=1e-6)
    model.loss(tokens, tokens).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_refusal():
    with pytest.raises(ValueError, match="latent is None"):
        LatentAttention(ModelConfig(vocab_size=8, d_model=8, n_layers=1, n_heads=2))
