import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import attention_mask, attention_weights, expand_kv_heads, scaled_dot_product_attention

# B, H, H_kv, T, S, head_dim, value_dim
SHAPES = [
    (2, 4, 4, 5, 5, 8, 8),
    (1, 4, 2, 7, 7, 6, 6),
    (2, 6, 1, 3, 9, 8, 5),
    (1, 2, 2, 1, 6, 4, 4),
    (1, 2, 1, 6, 3, 4, 4),
]


def tensors(shape, seed=0, dtype=torch.float32):
    b, h, h_kv, t, s, d, value_dim = shape
    generator = torch.Generator().manual_seed(seed)
    sizes = ((b, h, t, d), (b, h_kv, s, d), (b, h_kv, s, value_dim))
    return [torch.randn(size, generator=generator, dtype=dtype) for size in sizes]


def by_loops(q, k, v, *, causal, window, mask=None, scale=None):
    """Each query by itself, with Python's own exponentials."""
    mixed = torch.zeros(*q.shape[:3], v.shape[-1], dtype=torch.float64)
    group, offset = q.shape[1] // k.shape[1], k.shape[2] - q.shape[2]
    scale = scale or q.shape[-1] ** -0.5
    for b, h, t in torch.cartesian_prod(*map(torch.arange, q.shape[:3])).tolist():
        own = t + offset
        seen = [
            s
            for s in range(k.shape[2])
            if (not causal or s <= own) and (window is None or abs(own - s) < window) and (mask is None or mask[t, s])
        ]
        weights = [math.exp(scale * float(q[b, h, t].double() @ k[b, h // group, s].double())) for s in seen]
        for weight, s in zip(weights, seen, strict=True):
            mixed[b, h, t] += weight / sum(weights) * v[b, h // group, s].double()
    return mixed


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("causal", "window"), [(False, None), (True, None), (True, 2), (False, 3)])
@pytest.mark.parametrize("fused", [False, True])
def test_as_written_out_in_loops(shape, causal, window, fused):
    q, k, v = tensors(shape)
    ours = scaled_dot_product_attention(q, k, v, causal=causal, window=window, fused=fused)
    torch.testing.assert_close(ours.double(), by_loops(q, k, v, causal=causal, window=window), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fused", [False, True])
def test_mask_is_true_where_allowed_and_scale_is_used(fused):
    q, k, v = tensors(SHAPES[1])
    mask = torch.rand(7, 7, generator=torch.Generator().manual_seed(1)) < 0.6
    mask[3] = False  # a query that may see nothing gets zeros
    ours = scaled_dot_product_attention(q, k, v, mask=mask, causal=True, scale=0.7, fused=fused)
    expected = by_loops(q, k, v, causal=True, window=None, mask=mask, scale=0.7)
    torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=1e-6)
    assert ours[:, :, 3].eq(0).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("causal", [False, True])
def test_fused_and_written_out_have_the_same_gradients(shape, causal):
    results = []
    for fused in (False, True):
        inputs = [x.requires_grad_() for x in tensors(shape)]
        mixed = scaled_dot_product_attention(*inputs, causal=causal, fused=fused)
        results.append(torch.autograd.grad(mixed.sin().sum(), inputs))
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_a_query_that_sees_nothing_has_finite_gradients(fused):
    inputs = [x.requires_grad_() for x in tensors(SHAPES[4])]  # more queries than keys: the first see none
    mixed = scaled_dot_product_attention(*inputs, causal=True, fused=fused)
    mixed.sum().backward()
    assert mixed[:, :, :3].eq(0).all() and all(x.grad.isfinite().all() for x in inputs)
    assert inputs[0].grad[:, :, :3].eq(0).all()


def test_as_torch_where_both_say_the_same():
    q, k, v = tensors(SHAPES[0])
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    ours = scaled_dot_product_attention(q, k, v, causal=True, fused=False)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_weights_add_up_and_hide():
    q, k, _ = tensors(SHAPES[2])
    weights = attention_weights(q, k, causal=True, window=4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6, 3))
    hidden = ~attention_mask(3, 9, causal=True, window=4)
    assert weights[..., hidden].eq(0).all() and weights[..., ~hidden].gt(0).all()


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(0, 5), st.integers(1, 8), st.booleans())
def test_later_queries_with_cached_keys_are_the_end_of_the_whole(n_new, n_cached, window, use_window):
    q, k, v = tensors((1, 2, 1, n_new + n_cached, n_new + n_cached, 4, 4), seed=n_new)
    options = {"causal": True, "window": window if use_window else None}
    whole = scaled_dot_product_attention(q, k, v, **options)
    end = scaled_dot_product_attention(q[:, :, n_cached:], k, v, **options)
    torch.testing.assert_close(end, whole[:, :, n_cached:], rtol=1e-5, atol=1e-6)


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_shared_heads_are_repeated_heads(h_kv, group, seed):
    q, k, v = tensors((1, h_kv * group, h_kv, 4, 4, 4, 4), seed)
    shared = scaled_dot_product_attention(q, k, v, causal=True)
    repeated = scaled_dot_product_attention(
        q, expand_kv_heads(k, h_kv * group), expand_kv_heads(v, h_kv * group), causal=True
    )
    torch.testing.assert_close(shared, repeated, rtol=1e-5, atol=1e-6)
    for head in range(h_kv * group):
        own = k[:, head // group, None], v[:, head // group, None]
        alone = scaled_dot_product_attention(q[:, head, None], *own, causal=True)
        torch.testing.assert_close(shared[:, head, None], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "mask_shape", [None, (1, 9), (4, 1, 9), (1, 1, 9), (4, 1, 1, 9), (1, 4, 1, 9), (4, 4, 1, 9)], ids=str
)
@pytest.mark.parametrize("window", [None, 3])
def test_one_query_with_shared_heads_under_any_mask(mask_shape, window):
    q, k, v = tensors((4, 4, 2, 1, 9, 6, 5))
    mask = None
    if mask_shape is not None:
        mask = torch.rand(mask_shape, generator=torch.Generator().manual_seed(1)) < 0.5
        mask.view(-1, 9)[0] = False
    fused, written_out = (
        scaled_dot_product_attention(q, k, v, mask=mask, causal=True, window=window, scale=0.4, fused=fused)
        for fused in (True, False)
    )
    torch.testing.assert_close(fused, written_out, rtol=1e-5, atol=1e-6)


def test_bf16():
    # Scores and weights are rounded to 8 bits each before they are used: a few units of 2^-8 of the values, which are
    # about 1.
    q, k, v = tensors(SHAPES[1], dtype=torch.bfloat16)
    exact = scaled_dot_product_attention(q.float(), k.float(), v.float(), causal=True)
    for fused in (False, True):
        ours = scaled_dot_product_attention(q, k, v, causal=True, fused=fused)
        assert ours.dtype == torch.bfloat16
        torch.testing.assert_close(ours.float(), exact, rtol=0, atol=4 * 2**-8)


def test_masks():
    assert attention_mask(3, 3) is None and attention_mask(1, 5, causal=True) is None
    assert attention_mask(2, 2, window=2) is None
    mask = torch.tensor([[True, False], [True, True]])
    assert attention_mask(2, 2, mask=mask) is mask
    assert attention_mask(2, 2, mask=mask, causal=True).equal(mask)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q, k, v: (q[0], k, v, {}), r"each has to be \(B, H, T, head_dim\)"),
        (lambda q, k, v: (q[..., :3], k, v, {}), "head_dim of q and k"),
        (lambda q, k, v: (q, k, v[:, :, 1:], {}), "all but the last size of k and v"),
        (lambda q, k, v: (q[:, :3], k, v, {}), "2 key-value heads cannot serve 3"),
        (lambda q, k, v: (q, k, v, {"mask": torch.zeros(7, 7)}), "mask has dtype torch.float32"),
        (lambda q, k, v: (q, k, v, {"window": 0}), "window is 0"),
    ],
)
def test_refusals(call, message):
    *inputs, options = call(*tensors(SHAPES[1]))
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(*inputs, **options)
