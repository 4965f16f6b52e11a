from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import Attention, ModelConfig, RotaryEmbedding


def made(n_kv_heads, seed=0, **options):
    torch.manual_seed(seed)
    config = ModelConfig(vocab_size=8, d_model=24, n_layers=1, n_heads=4, n_kv_heads=n_kv_heads, head_dim=6, **options)
    attention = Attention(config)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    return attention, config


def copy_heads(grouped, n_heads):
    """Multi-head attention whose heads of keys and values are those of a grouped one, repeated."""
    group = n_heads // (grouped.k.out_features // grouped.head_dim)
    full, _ = made(n_heads)
    for name in ("q", "out"):
        getattr(full, name).load_state_dict(getattr(grouped, name).state_dict())
    for name in ("k", "v"):
        heads = getattr(grouped, name).weight.unflatten(0, (-1, grouped.head_dim))
        getattr(full, name).weight.data = heads.repeat_interleave(group, 0).flatten(0, 1)
    return full


@settings(max_examples=20)
@given(st.sampled_from([1, 2, 4]), st.integers(0, 1000))
def test_grouped_is_multi_head_with_repeated_keys_and_values(n_kv_heads, seed):
    grouped, config = made(n_kv_heads, seed)
    rotation = RotaryEmbedding(config)(torch.arange(5))
    x = torch.randn(2, 5, 24)
    # In float64, since weights this large make softmax steep.
    full, grouped, x = copy_heads(grouped, 4).double(), grouped.double(), x.double()
    torch.testing.assert_close(grouped(x, rotation), full(x, rotation), rtol=1e-9, atol=1e-9)


def test_multi_head_as_torch():
    attention, _ = made(4)
    theirs = torch.nn.MultiheadAttention(24, 4, bias=False, batch_first=True)
    theirs.in_proj_weight.data = torch.cat([attention.q.weight, attention.k.weight, attention.v.weight]).detach()
    theirs.out_proj.weight.data = attention.out.weight.detach()
    x = 0.1 * torch.randn(2, 5, 24)
    hidden = torch.ones(5, 5, dtype=torch.bool).triu(1)
    expected, _ = theirs(x, x, x, attn_mask=hidden, need_weights=False)
    torch.testing.assert_close(attention(x), expected, rtol=1e-4, atol=1e-5)


def test_multi_query_has_one_head_of_keys_and_values():
    attention, _ = made(1)
    assert attention.k.weight.shape == attention.v.weight.shape == (6, 24)


def test_options_make_the_parameters_that_they_name():
    names = {name for name, _ in made(2, qkv_bias=True, qk_norm=True)[0].named_parameters()}
    assert {"q.bias", "k.bias", "v.bias", "q_norm.weight", "k_norm.weight"} <= names and "out.bias" not in names
    assert "out.bias" in dict(made(2, output_bias=True)[0].named_parameters())


def test_qk_norm_bounds_the_scores():
    attention, _ = made(2, qk_norm=True)
    torch.nn.init.ones_(attention.q_norm.weight), torch.nn.init.ones_(attention.k_norm.weight)
    x = torch.randn(1, 4, 24)
    torch.testing.assert_close(attention(x)[:, 0], attention(1000 * x)[:, 0] / 1000, rtol=1e-4, atol=1e-4)
    plain, _ = made(2)
    near, far = plain(x), plain(1000 * x) / 1000
    assert not torch.allclose(near[:, 1:], far[:, 1:], rtol=1e-2)
    torch.testing.assert_close(attention(x), attention(1000 * x) / 1000, rtol=1e-3, atol=1e-3)


def test_a_window_hides_what_is_further_back():
    attention, config = made(2, window=3)
    x = torch.randn(1, 8, 24)
    changed = x.clone()
    changed[:, 2] += 1
    difference = (attention(x) - attention(changed)).abs().amax(-1)[0]
    assert difference[:2].eq(0).all() and difference[2:5].gt(0).all() and difference[5:].eq(0).all()
    assert Attention(replace(config, window=(None,))).window is None


def test_attention_scale_is_used():
    plain, _ = made(2)
    scaled, _ = made(2, attention_scale=2 * 6**-0.5)
    scaled.load_state_dict(plain.state_dict())
    doubled = made(2)[0]
    doubled.load_state_dict(plain.state_dict())
    doubled.q.weight.data *= 2
    x = torch.randn(1, 4, 24)
    torch.testing.assert_close(scaled(x), doubled(x))


def test_a_cache_gives_what_the_whole_gives_and_its_mask_is_obeyed(make_cache):
    attention, config = made(2)
    rotary, cache, x = RotaryEmbedding(config), make_cache(), torch.randn(2, 6, 24)
    whole = attention(x, rotary(torch.arange(6)))
    parts = []
    for start, stop in ((0, 3), (3, 4), (4, 6)):
        positions = torch.arange(start, stop)
        parts.append(attention(x[:, start:stop], rotary(positions), cache=cache, positions=positions))
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-5, atol=1e-4)

    class Padded(make_cache):
        def mask(self, layer, positions):
            return torch.tensor([False, True, True]).expand(2, 1, 3, 3)

    positions = torch.arange(3)
    padded = attention(x[:, :3], rotary(positions), cache=Padded(), positions=positions)
    alone = attention(x[:, 1:3], rotary(positions[1:]))
    torch.testing.assert_close(padded[:, 1:], alone, rtol=1e-5, atol=1e-4)


def test_a_cache_needs_positions(cache):
    with pytest.raises(ValueError, match="positions is None"):
        made(2)[0](torch.randn(1, 2, 24), cache=cache)
