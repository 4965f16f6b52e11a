import pytest
import torch

from llmcourse.architecture import flash_attention, scaled_dot_product_attention

SHAPES = [(2, 4, 2, 9, 9, 5, 5), (1, 2, 2, 7, 12, 4, 6), (1, 1, 1, 1, 5, 3, 3), (1, 2, 1, 8, 3, 4, 4)]


def tensors(shape, dtype=torch.float32):
    b, h, h_kv, t, s, d, value_dim = shape
    torch.manual_seed(0)
    sizes = ((b, h, t, d), (b, h_kv, s, d), (b, h_kv, s, value_dim))
    return [torch.randn(size, dtype=dtype, requires_grad=True) for size in sizes]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("block_size", [1, 2, 4, 64])
def test_as_written_out_with_gradients(shape, causal, block_size):
    inputs = tensors(shape)
    results = []
    for mixed in (
        flash_attention(*inputs, causal=causal, block_size=block_size),
        scaled_dot_product_attention(*inputs, causal=causal, fused=False),
    ):
        results.append((mixed, *torch.autograd.grad(mixed.sin().sum(), inputs)))
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 2, 1, 4, 4, 2, 3), (1, 1, 1, 2, 5, 2, 2)])
@pytest.mark.parametrize("causal", [False, True])
def test_gradients_in_float64(shape, causal):
    inputs = tensors(shape, torch.float64)
    assert torch.autograd.gradcheck(lambda *x: flash_attention(*x, causal=causal, scale=0.8, block_size=2), inputs)


def test_large_scores_do_not_overflow():
    q, k, v = (200 * x.detach() for x in tensors(SHAPES[0]))
    mixed = flash_attention(q, k, v, causal=True, block_size=2)
    torch.testing.assert_close(
        mixed, scaled_dot_product_attention(q, k, v, causal=True, fused=False), rtol=1e-4, atol=1e-2
    )


def test_hidden_tiles_are_not_even_looked_at():
    q, k, v = (x.detach() for x in tensors((1, 1, 1, 4, 4, 2, 2)))
    k[:, :, 2:] = torch.nan
    assert flash_attention(q, k, v, causal=True, block_size=2)[:, :, :2].isfinite().all()


def test_refusals():
    q, k, v = tensors(SHAPES[0])
    with pytest.raises(ValueError, match="block_size is 0"):
        flash_attention(q, k, v, block_size=0)
    with pytest.raises(ValueError, match="heads do not fit"):
        flash_attention(q[:, :3], k, v)
