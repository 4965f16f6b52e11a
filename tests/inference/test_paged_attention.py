import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import scaled_dot_product_attention
from llmcourse.inference import paged_attention


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    block_size=st.integers(1, 9),
    heads=st.sampled_from([(4, 4), (4, 2), (6, 1)]),
    seed=st.integers(0, 99),
)
def test_it_equals_attention_over_what_lies_together(lengths, block_size, heads, seed):
    n_heads, n_kv_heads = heads
    n_blocks = [-(-n // block_size) for n in lengths]
    order = torch.randperm(sum(n_blocks) + 1, generator=torch.Generator().manual_seed(seed)).tolist()
    keys, values = (torch.full((len(order), block_size, n_kv_heads, width), torch.nan) for width in (8, 5))
    tables = torch.full((len(lengths), max(n_blocks)), order.pop())  # behind a table: a block that nobody has written
    q, expected = random(len(lengths), n_heads, 8, seed=seed) * 3, []
    for row, n in enumerate(lengths):
        k, v = random(n, n_kv_heads, 8, seed=row) * 3, random(n, n_kv_heads, 5, seed=row + 9)
        for place in range(n_blocks[row]):
            tables[row, place] = block = order.pop()
            here = slice(place * block_size, min((place + 1) * block_size, n))
            keys[block, : here.stop - here.start], values[block, : here.stop - here.start] = k[here], v[here]
        query, k, v = q[row][:, None], k.transpose(0, 1), v.transpose(0, 1)
        expected.append(scaled_dot_product_attention(query[None], k[None], v[None], fused=False)[0, :, 0])
    found = paged_attention(q, keys, values, tables, torch.tensor(lengths))
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-5, atol=1e-5)


def test_scores_that_overflow_exp_do_not_overflow_the_softmax():
    keys = torch.tensor([[200.0], [-200.0], [199.0]]).view(3, 1, 1, 1)
    found = paged_attention(
        torch.ones(1, 1, 1),
        keys,
        torch.tensor([1.0, 5.0, 2.0]).view(3, 1, 1, 1),
        torch.arange(3)[None],
        torch.tensor([3]),
    )
    assert found.item() == pytest.approx(1 + 1 / (1 + torch.e), rel=1e-5)


def test_bf16_comes_back_as_bf16():
    q, keys, values = random(1, 2, 8).bfloat16(), random(2, 4, 1, 8).bfloat16(), random(2, 4, 1, 8).bfloat16()
    found = paged_attention(q, keys, values, torch.tensor([[1, 0]]), torch.tensor([7]), scale=0.5)
    exact = paged_attention(
        q.float(), keys.float(), values.float(), torch.tensor([[1, 0]]), torch.tensor([7]), scale=0.5
    )
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), exact, rtol=2**-8, atol=0)  # rounded once, at the end


@pytest.mark.parametrize(
    ("n_heads", "length", "message"),
    [(3, 1, "2 key-value heads cannot serve 3"), (4, 0, r"lengths are \[0\]"), (4, 9, r"at most 8, as the tables")],
)
def test_what_does_not_fit_is_refused(n_heads, length, message):
    pool = torch.zeros(2, 4, 2, 8)
    with pytest.raises(ValueError, match=message):
        paged_attention(torch.zeros(1, n_heads, 8), pool, pool, torch.tensor([[0, 1]]), torch.tensor([length]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_as_on_the_cpu():
    q, keys, values = random(2, 4, 8), random(5, 4, 2, 8, seed=1), random(5, 4, 2, 8, seed=2)
    arguments = (q, keys, values, torch.tensor([[4, 1], [0, 2]]), torch.tensor([7, 3]))
    found = paged_attention(*(tensor.cuda() for tensor in arguments))
    torch.testing.assert_close(found.cpu(), paged_attention(*arguments), rtol=1e-3, atol=1e-3)  # TF32
