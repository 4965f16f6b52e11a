import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import Cache, generate
from llmcourse.inference import KVCache, OutOfBlocks, PagedKVCache, left_pad


def draw(shape, seed=0):
    return torch.randint(61, shape, generator=torch.Generator().manual_seed(seed))


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def read_in(model, tokens, sizes, cache):
    return torch.cat([model(part, cache=cache) for part in tokens.split(sizes, dim=1)], dim=1)


@pytest.mark.parametrize("block_size", [1, 4, 16])
@pytest.mark.parametrize("sizes", [[1] * 12, [12], [5, 4, 3], [7, 1, 1, 3]], ids=str)
def test_paged_logits_are_the_uncached_and_the_contiguous_ones(variant, sizes, block_size):
    tokens = draw((2, 12))
    cache = PagedKVCache.of(variant, n_blocks=24, block_size=block_size)
    assert isinstance(cache, Cache)
    found = read_in(variant, tokens, sizes, cache)
    assert_close(found, variant(tokens))
    assert_close(found, read_in(variant, tokens, sizes, KVCache.of(variant, batch_size=2)))
    assert cache.n_tokens == 12 and cache.lengths.tolist() == [12, 12]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_sequences_that_grow_fork_and_end_as_they_like_are_as_each_alone(variants, data):
    model = variants[data.draw(st.sampled_from(sorted(variants)))]
    cache = PagedKVCache.of(model, n_blocks=40, block_size=data.draw(st.integers(1, 5)))
    for pool in cache.pools:
        for x in pool:
            x[:-1] = torch.nan  # what an earlier text has left must not matter, whatever it is
    texts, stream = {}, random.Random(data.draw(st.integers(0, 99)))
    for _ in range(data.draw(st.integers(1, 5))):
        while len(texts) < 3:
            texts[cache.tables.open()] = []
        if data.draw(st.booleans()):
            one = data.draw(st.sampled_from(sorted(texts)))
            texts[cache.tables.fork(one)] = list(texts[one])
        rows = data.draw(st.lists(st.sampled_from(sorted(texts)), min_size=1, unique=True))
        new = [[stream.randrange(61) for _ in range(data.draw(st.integers(1, 4)))] for _ in rows]
        tokens, offsets = left_pad(new)
        positions = offsets + torch.tensor([len(texts[row]) for row in rows])[:, None]
        step = cache.reserve({row: len(part) for row, part in zip(rows, new, strict=True)})
        found = model(tokens, cache=step, positions=positions)
        for i, row in enumerate(rows):
            texts[row] += new[i]
            assert_close(found[i, -len(new[i]) :], model(torch.tensor([texts[row]]))[0, -len(new[i]) :])
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(texts)))
            cache.tables.close(gone)
            del texts[gone]


def test_rows_of_different_lengths_in_its_own_batch(variant):
    rows = [draw((n,), seed).tolist() for seed, n in enumerate((7, 1, 4))]
    tokens, positions = left_pad(rows)
    cache = PagedKVCache.of(variant, n_blocks=20, block_size=3)
    prompt = variant(tokens, cache=cache, positions=positions)
    steps = draw((3, 3), 9)
    last = [variant(steps[:, i : i + 1], cache=cache, positions=cache.lengths[:, None]) for i in range(3)]
    found = torch.cat([prompt, *last], dim=1)
    assert cache.lengths.tolist() == [10, 4, 7] and cache.n_tokens is None
    for row, ids in enumerate(rows):
        alone = variant(torch.tensor([ids + steps[row].tolist()]))[0]
        assert_close(found[row, -len(alone) :], alone)


def test_a_prefix_that_is_found_need_not_be_read(model):
    cache = PagedKVCache.of(model, n_blocks=8, block_size=4)
    tokens = draw((1, 11))
    text = cache.tables.open()
    model(tokens, cache=cache.reserve({text: 11}))
    cache.tables.record(text, tokens[0].tolist())
    cache.tables.close(text)
    again = cache.tables.open(tokens[0].tolist())
    assert cache.tables.n_tokens(again) == 8
    found = model(tokens[:, 8:], cache=cache.reserve({again: 3}))
    assert_close(found, model(tokens)[:, 8:])


def test_generation_is_the_same_and_resets(model):
    cache = PagedKVCache.of(model, n_blocks=12, block_size=4)
    for seed in (0, 1):
        prompt = draw((2, 5), seed)
        plain = generate(model, prompt, 12, temperature=0.0)
        assert torch.equal(generate(model, prompt, 12, temperature=0.0, cache=cache), plain)
        assert cache.tables.allocator.n_used == 2 * 4


def test_a_write_that_does_not_fit_changes_nothing(model):
    cache = PagedKVCache.of(model, n_blocks=5, block_size=4)
    with pytest.raises(OutOfBlocks, match="42 more tokens need 12 blocks, and 5 are free"):
        model(draw((2, 21)), cache=cache)
    assert cache.tables.allocator.n_used == 0 and cache.tables.sequences == ()
    model(draw((2, 8)), cache=cache)
    before = {row: cache.tables.blocks(row) for row in cache.tables.sequences}
    with pytest.raises(OutOfBlocks):
        model(draw((2, 1)), cache=cache)
    assert {row: cache.tables.blocks(row) for row in cache.tables.sequences} == before and cache.n_tokens == 8


def test_a_pass_that_fails_gives_its_blocks_back(model):
    cache = PagedKVCache.of(model, n_blocks=6, block_size=4)
    text = cache.tables.open()
    tokens = draw((1, 16))
    model(tokens[:, :6], cache=cache.reserve({text: 6}))
    twin = cache.tables.fork(text)
    step = cache.reserve({twin: 10})
    with pytest.raises(ValueError, match="1 rows of 9 new tokens are given, and 1 of 10 were reserved"):
        model(tokens[:, 6:15], cache=step)
    step.undo()
    assert cache.tables.n_tokens(twin) == 6 and len(cache.tables.blocks(twin)) == 2
    assert_close(model(tokens[:, 6:], cache=cache.reserve({twin: 10})), model(tokens)[:, 6:])
    assert_close(model(tokens[:, 6:7], cache=cache.reserve({text: 1})), model(tokens)[:, 6:7])


def test_less_than_4_percent_is_idle(make_model):
    # Lengths as in conversations: a few hundred tokens on average, a long tail.
    lengths = random.Random(0)
    cache = PagedKVCache(make_model().config, n_blocks=8000, block_size=16)
    for _ in range(200):
        cache.tables.extend({cache.tables.open(): max(1, round(lengths.lognormvariate(5.3, 1.0)))})
    n_tokens = sum(map(cache.tables.n_tokens, cache.tables.sequences))
    assert cache.tables.waste < 0.04
    token_bytes = cache.block_bytes / 16
    assert n_tokens * token_bytes / cache.used_bytes == pytest.approx(1 - cache.tables.waste)


@pytest.mark.parametrize("name", ["grouped", "multi_query", "wide_heads", "latent"])
def test_bytes_are_those_of_the_contiguous_cache(variants, name):
    config = variants[name].config
    cache = PagedKVCache(config, n_blocks=3, block_size=5, dtype=torch.bfloat16)
    assert 3 * cache.block_bytes == KVCache(config, max_seq_len=15, dtype=torch.bfloat16).cache_bytes
    assert cache.cache_bytes == 4 * cache.block_bytes and cache.used_bytes == 0


def test_bf16(model):
    # As for the contiguous cache: chunks change the order of sums alone.
    low = model.to(torch.bfloat16)
    tokens = draw((1, 10))
    cache = PagedKVCache.of(low, n_blocks=3, block_size=4)
    found, whole = read_in(low, tokens, [4, 1, 5], cache).float(), low(tokens).float()
    assert (found - whole).square().mean().sqrt() / whole.square().mean().sqrt() < 2**-6


def test_no_gradient_is_kept(make_model):
    model = make_model().requires_grad_(True)
    cache = PagedKVCache.of(model, n_blocks=4)
    for _ in range(2):
        model(draw((1, 3)), cache=cache)
    assert not any(x.requires_grad for pool in cache.pools for x in pool)


def test_what_does_not_fit_is_refused(model):
    cache = PagedKVCache.of(model, n_blocks=8, block_size=4)
    model(draw((2, 3)), cache=cache)
    with pytest.raises(ValueError, match="the cache holds 2 rows, and 3 are given: reset it first"):
        model(draw((3, 1)), cache=cache)
    with pytest.raises(ValueError, match=r"dtype torch.float64, and the cache \(B, 2, T, 8\) and torch.float32"):
        cache.update(0, torch.zeros(2, 2, 1, 8).double(), torch.zeros(2, 2, 1, 8), torch.arange(1))
    with pytest.raises(ValueError, match=r"positions are \[\[0, -1\], \[0, 1\]\]: padding"):
        model(draw((2, 2)), cache=cache, positions=torch.tensor([[0, -1], [0, 1]]))
    with pytest.raises(ValueError, match=r"new tokens are \{\}"):
        cache.reserve({})
    with pytest.raises(ValueError, match="these are the rows of one pass"):
        cache.reserve({cache.tables.sequences[0]: 1}).reset()
    assert cache.lengths.tolist() == [4, 3]
