import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import scaled_dot_product_attention
from llmcourse.emerging import attend_partially, merge_attention, partial_attention_gradients


def tensors(seed, *, n_kv_heads=2, n_keys=12, dtype=torch.float64, size=1.0):
    generator = torch.Generator().manual_seed(seed)
    shapes = (2, 4, 5, 8), (2, n_kv_heads, n_keys, 8), (2, n_kv_heads, n_keys, 6)
    return [(size * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype) for shape in shapes]


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 1000), st.lists(st.integers(0, 12), max_size=4), st.sampled_from([1, 2, 4]), st.sampled_from([1, 30])
)
def test_parts_merge_to_the_whole(seed, cuts, n_kv_heads, size):
    q, k, v = tensors(seed, n_kv_heads=n_kv_heads, size=size)
    mask = torch.rand(5, 12, generator=torch.Generator().manual_seed(seed)) < 0.6
    mixed, log_sum = (
        torch.zeros(2, 4, 5, 6, dtype=torch.float64),
        torch.full((2, 4, 5), -torch.inf, dtype=torch.float64),
    )
    for start, stop in itertools.pairwise([0, *sorted(cuts), 12]):
        part = slice(start, stop)
        attended = attend_partially(q, k[:, :, part], v[:, :, part], mask=mask[:, part])
        mixed, log_sum = merge_attention(mixed, log_sum, *attended)
    torch.testing.assert_close(mixed, scaled_dot_product_attention(q, k, v, mask=mask, fused=False))
    torch.testing.assert_close(log_sum, attend_partially(q, k, v, mask=mask)[1])


@given(st.integers(0, 1000))
def test_merging_is_symmetric_and_associative(seed):
    generator = torch.Generator().manual_seed(seed)
    parts = [
        (torch.randn(3, 4, generator=generator, dtype=torch.float64), 9 * torch.randn(3, generator=generator).double())
        for _ in range(3)
    ]
    left = merge_attention(*merge_attention(*parts[0], *parts[1]), *parts[2])
    right = merge_attention(*parts[0], *merge_attention(*parts[2], *parts[1]))
    torch.testing.assert_close(left, right)


def test_scores_of_a_thousand_do_not_overflow():
    first, second = torch.tensor([1.0]), torch.tensor([3.0])
    mixed, log_sum = merge_attention(first, torch.tensor(1000.0), second, torch.tensor(1000.0))
    assert mixed.item() == pytest.approx(2.0) and log_sum.item() == pytest.approx(1000.6931)
    assert merge_attention(first, torch.tensor(-1000.0), second, torch.tensor(1000.0))[0].item() == 3.0


def test_who_sees_nothing_has_zeros_and_finite_gradients():
    q, k, v = (x.requires_grad_() for x in tensors(0))
    nothing = torch.zeros(5, 12, dtype=torch.bool)
    mixed, log_sum = attend_partially(q, k, v, mask=nothing)
    assert mixed.eq(0).all() and log_sum.eq(-torch.inf).all()
    merged, log_sum = merge_attention(mixed.detach(), log_sum.detach(), mixed.detach(), log_sum.detach())
    assert merged.eq(0).all() and log_sum.eq(-torch.inf).all()
    grads = partial_attention_gradients(
        q, k, v, torch.ones_like(mixed), log_sum, log_sum.new_zeros(log_sum.shape), mask=nothing
    )
    assert all(grad.eq(0).all() for grad in grads)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 4])
def test_gradients_of_parts_are_autograds(n_kv_heads):
    q, k, v = (x.requires_grad_() for x in tensors(1, n_kv_heads=n_kv_heads))
    mask = torch.rand(5, 12, generator=torch.Generator().manual_seed(1)) < 0.6
    expected = scaled_dot_product_attention(q, k, v, mask=mask, scale=0.3, fused=False)
    grad = torch.randn(expected.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    wanted = torch.autograd.grad(expected, (q, k, v), grad)
    log_sum = attend_partially(q, k, v, mask=mask, scale=0.3)[1]
    delta, parts = (grad * expected).sum(-1), (slice(0, 7), slice(7, 12))
    found = [
        partial_attention_gradients(q, k[:, :, p], v[:, :, p], grad, log_sum, delta, mask=mask[:, p], scale=0.3)
        for p in parts
    ]
    torch.testing.assert_close(found[0][0] + found[1][0], wanted[0])
    for number in (1, 2):
        torch.testing.assert_close(torch.cat([part[number] for part in found], dim=2), wanted[number])


def test_bf16_is_worked_out_in_fp32():
    q, k, v = tensors(3, dtype=torch.bfloat16)
    mixed, log_sum = attend_partially(q, k, v)
    assert mixed.dtype == log_sum.dtype == torch.float32
    torch.testing.assert_close(
        mixed, scaled_dot_product_attention(q.float(), k.float(), v.float()), rtol=1e-5, atol=1e-5
    )
