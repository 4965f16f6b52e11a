import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import Cache, generate
from llmcourse.inference import KVCache, kv_cache_bytes, left_pad
from llmcourse.inference.kv_cache import _SLACK


def draw(shape, seed=0):
    return torch.randint(61, shape, generator=torch.Generator().manual_seed(seed))


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def read_in(model, tokens, sizes, cache):
    return torch.cat([model(part, cache=cache) for part in tokens.split(sizes, dim=1)], dim=1)


@pytest.mark.parametrize("sizes", [[1] * 12, [12], [1, 11], [5, 4, 3], [7, 1, 1, 3]], ids=str)
def test_cached_logits_are_the_uncached_ones(variant, sizes):
    tokens = draw((2, 12))
    cache = KVCache.of(variant, batch_size=2, max_seq_len=12)
    assert isinstance(cache, Cache)
    assert_close(read_in(variant, tokens, sizes, cache), variant(tokens))
    assert cache.n_tokens == 12 and cache.lengths.tolist() == [12, 12]


@settings(max_examples=30)
@given(data=st.data())
def test_any_chunks_of_any_text_after_another_one(variants, data):
    model = variants[data.draw(st.sampled_from(list(variants)))]
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=7))
    tokens = draw((2, sum(sizes)), data.draw(st.integers(0, 99)))
    cache = KVCache.of(model, batch_size=2)
    model(draw((2, data.draw(st.integers(1, 40))), 5), cache=cache)
    cache.reset()
    assert cache.n_tokens == 0
    assert_close(read_in(model, tokens, sizes, cache), model(tokens))


@pytest.mark.parametrize("sizes", [[1] * 200, [100, 100], [3, 150, 1, 1, 45]], ids=["ones", "halves", "uneven"])
def test_a_window_holds_little_and_gives_the_same(make_model, sizes):
    model = make_model(window=(5, None), max_seq_len=256)
    tokens = draw((1, 200))
    cache = KVCache.of(model)
    assert_close(read_in(model, tokens, sizes, cache), model(tokens))
    narrow, wide = (layer.buffers[0].shape[2] for layer in cache.layers)
    assert (narrow, wide) == (4 + _SLACK, 256)


def test_rows_of_different_lengths_are_as_each_alone(variant):
    rows = [draw((n,), seed).tolist() for seed, n in enumerate((7, 1, 4))]
    tokens, positions = left_pad(rows)
    cache = KVCache.of(variant, batch_size=3)
    prompt = [variant(tokens[:, a:b], cache=cache, positions=positions[:, a:b]) for a, b in ((0, 2), (2, 7))]
    steps = draw((3, 3), 9)
    last = [variant(steps[:, i : i + 1], cache=cache, positions=cache.lengths[:, None]) for i in range(3)]
    found = torch.cat([*prompt, *last], dim=1)
    assert cache.lengths.tolist() == [10, 4, 7] and cache.n_tokens is None
    for row, ids in enumerate(rows):
        alone = variant(torch.tensor([ids + steps[row].tolist()]))[0]
        assert_close(found[row, -len(alone) :], alone)


def test_a_batch_without_padding_follows_one_with_it(model):
    cache = KVCache.of(model, batch_size=2)
    tokens, positions = left_pad([[1, 2, 3], [4]])
    model(tokens, cache=cache, positions=positions)
    cache.reset()
    assert cache.n_tokens == 0 and cache.mask(0, torch.arange(3)) is None
    assert_close(model(draw((2, 5)), cache=cache), model(draw((2, 5))))


def test_reset_leaves_nothing_behind(model):
    cache = KVCache.of(model)
    model(draw((1, 9)), cache=cache)
    for layer in cache.layers:
        for buffer in layer.buffers:
            buffer.fill_(torch.nan)
    cache.reset()
    assert_close(model(draw((1, 4)), cache=cache), model(draw((1, 4))))


def test_position_0_is_written(model):
    cache = KVCache.of(model)
    model(draw((1, 1)), cache=cache)
    keys = cache.layers[0].buffers[0][:, :, 0]
    x = model.blocks[0].attention_norm(model.embedding(draw((1, 1))))
    assert_close(keys, model.blocks[0].attention.k(x).view(1, 2, 8))  # at position 0 rotation changes nothing


def test_truncation_takes_back_the_newest(variant):
    tokens = draw((2, 14))
    cache = KVCache.of(variant, batch_size=2)
    variant(tokens[:, :8], cache=cache)
    variant(draw((2, 4), 7), cache=cache)
    cache.truncate(9)
    cache.truncate(8)
    assert_close(variant(tokens[:, 8:], cache=cache), variant(tokens)[:, 8:])


def test_truncation_refuses_what_a_window_has_let_go(make_model):
    cache = KVCache.of(make_model(window=(3, None), max_seq_len=256))
    model = make_model(window=(3, None), max_seq_len=256)
    model(draw((1, 200)), cache=cache)
    cache.truncate(150)
    with pytest.raises(ValueError, match="of 150 columns 100 cannot be kept, since the first 134 are gone"):
        cache.truncate(100)
    assert cache.n_tokens == 150 and cache.layers[1].n == 150


def test_generation_is_the_same_and_resets(model):
    cache = KVCache.of(model, batch_size=2)
    for seed in (0, 1):
        prompt = draw((2, 5), seed)
        plain = generate(model, prompt, 12, temperature=0.0)
        assert torch.equal(generate(model, prompt, 12, temperature=0.0, cache=cache), plain)


def test_bf16(model):
    # Chunks change the order of sums alone, so that only the last of bf16's 8 bits may differ, some layers deep.
    low = model.to(torch.bfloat16)
    tokens = draw((1, 10))
    cache = KVCache.of(low)
    found, whole = read_in(low, tokens, [4, 1, 5], cache).float(), low(tokens).float()
    assert (found - whole).square().mean().sqrt() / whole.square().mean().sqrt() < 2**-6


def test_no_gradient_is_kept(make_model):
    model = make_model().requires_grad_(True)
    cache = KVCache.of(model)
    for _ in range(2):
        model(draw((1, 3)), cache=cache)
    assert not any(buffer.requires_grad for layer in cache.layers for buffer in layer.buffers)


@pytest.mark.parametrize("name", ["grouped", "multi_query", "wide_heads", "window_of_one_layer"])
def test_bytes_are_those_of_the_formula(variants, name):
    config = variants[name].config
    sizes = {"n_layers": config.n_layers, "n_kv_heads": config.n_kv_heads, "head_dim": config.head_dim}
    cache = KVCache(config, batch_size=3, max_seq_len=10, dtype=torch.bfloat16)
    assert cache.cache_bytes == kv_cache_bytes(**sizes, seq_len=10, batch_size=3)


@pytest.mark.parametrize(
    ("n_layers", "n_kv_heads", "seq_len", "gib"),
    [(32, 32, 4096, 2.0), (32, 8, 8192, 1.0), (80, 8, 32_768, 10.0), (80, 8, 4096, 1.25)],
    ids=["llama 2 7b", "llama 3 8b", "llama 3 70b", "llama 2 70b"],
)
def test_published_models(n_layers, n_kv_heads, seq_len, gib):
    assert kv_cache_bytes(n_layers=n_layers, n_kv_heads=n_kv_heads, head_dim=128, seq_len=seq_len) == gib * 2**30


def test_fractions_of_a_byte():
    half = {"n_layers": 1, "n_kv_heads": 1, "head_dim": 3, "bytes_per_element": 0.5}
    assert kv_cache_bytes(**half, seq_len=1) == 3
    with pytest.raises(ValueError, match="seq_len is -1"):
        kv_cache_bytes(**half, seq_len=-1)


def test_refusals(model):
    cache = KVCache.of(model, max_seq_len=4)
    with pytest.raises(ValueError, match=r"0 \+ 5 tokens are more than max_seq_len, 4"):
        model(draw((1, 5)), cache=cache)
    assert cache.n_tokens == 0
    with pytest.raises(ValueError, match=r"shape \(2, 2, 1, 8\) .* \(1, 2, T, 8\)"):
        model(draw((2, 1)), cache=cache)
    with pytest.raises(ValueError, match=r"dtype torch\.float64"):
        model.double()(draw((1, 1)), cache=cache)
    with pytest.raises(ValueError, match="batch_size is 0"):
        KVCache(model.config, batch_size=0)
    with pytest.raises(ValueError, match=r"lengths \[1, 0\]"):
        left_pad([[1], []])


@pytest.mark.parametrize("positions", [[[0, -1, 1]], [[0, 1, -1]]])
def test_padding_inside_a_row_is_refused(model, positions):
    cache = KVCache.of(model)
    with pytest.raises(ValueError, match="before a row's first token only"):
        model(draw((1, 3)), cache=cache, positions=torch.tensor(positions))
    model(draw((1, 2)), cache=cache)
    with pytest.raises(ValueError, match="after 2 columns"):
        model(draw((1, 1)), cache=cache, positions=torch.tensor([[-1]]))
