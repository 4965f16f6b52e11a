"""Scaled dot-product attention: written out in four steps, and by torch's fused kernel."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

__all__ = ["attention_mask", "attention_weights", "expand_kv_heads", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H_kv S head_dim"],
    v: Float[Tensor, "B H_kv S value_dim"],
    *,
    mask: Bool[Tensor, "*#batch T S"] | None = None,
    causal: bool = False,
    scale: float | None = None,
    window: int | None = None,
    fused: bool = True,
) -> Float[Tensor, "B H T value_dim"]:
    r"""Give each query the mean of the values, weighted by how well their keys fit it.

    Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.1: softmax(Q K^T / sqrt(d_k)) V. Notation: the paper's d_k is
    ``head_dim``. With fewer heads of keys and values than of queries, ``H / H_kv`` neighbouring query heads share one
    (Ainslie et al. 2023, arXiv:2305.13245).

    Args:
        q: Queries.
        k: Keys; H_kv divides H.
        v: Values.
        mask: True where attention is allowed; broadcasts to (B, H, T, S). Combined with ``causal`` and ``window``.
        causal: A query sees no later key. The last query stands beside the last key, as when S - T keys are cached.
        scale: What multiplies the products; ``1 / sqrt(head_dim)`` unless given.
        window: A query sees keys less than this many tokens away, its own among them.
        fused: Use torch's kernel, which never stores the T x S weights; otherwise write all of it out.

    Returns:
        Of the dtype of ``q``. A query that may see no key at all gets zeros.

    Raises:
        ValueError: Shapes do not fit, ``mask`` is not boolean, or ``window`` is below 1.

    Cost: 2 B H T S (head_dim + value_dim) FLOP, half of it wasted where a causal mask hides half the products.

    Example:
        >>> q, k = torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4)
        >>> scaled_dot_product_attention(q, k, torch.tensor([[[[2.0], [4.0]]]]), causal=True, fused=False)[0, 0]
        tensor([[2.],
                [3.]])
    """
    _check(q, k, v, mask, window)
    if not fused:
        weights = attention_weights(q, k, mask=mask, causal=causal, scale=scale, window=window)
        return weights @ expand_kv_heads(v, q.shape[1])
    n_queries, n_keys = q.shape[2], k.shape[2]
    if mask is None and (window is None or window >= n_keys) and causal and n_queries == n_keys:
        # No mask is stored; `is_causal` aligns the first query with the first key, which here is the same thing.
        return functional.scaled_dot_product_attention(
            q, k, v, is_causal=n_keys > 1, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
        )
    allowed = attention_mask(n_queries, n_keys, mask=mask, causal=causal, window=window, device=q.device)
    n_heads, n_kv_heads = q.shape[1], k.shape[1]
    if n_queries == 1 and n_kv_heads < n_heads and (allowed is None or allowed.ndim < 3 or allowed.shape[-3] == 1):
        # The heads that share keys stand as so many queries of one head, so that writing on copies no keys.
        grouped = q.reshape(q.shape[0], n_kv_heads, n_heads // n_kv_heads, q.shape[-1])
        return scaled_dot_product_attention(grouped, k, v, mask=allowed, scale=scale).reshape(*q.shape[:3], -1)
    # Kernels that take a mask take no shared heads on some devices, and torch would fall back to the slow form.
    k, v = expand_kv_heads(k, n_heads), expand_kv_heads(v, n_heads)
    mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=scale)
    if allowed is None or (mask is None and n_queries <= n_keys):
        return mixed  # each query sees itself
    return mixed.masked_fill(~allowed.any(-1, keepdim=True), 0.0)


def attention_weights(
    q: Float[Tensor, "B H T head_dim"],
    k: Float[Tensor, "B H_kv S head_dim"],
    *,
    mask: Bool[Tensor, "*#batch T S"] | None = None,
    causal: bool = False,
    scale: float | None = None,
    window: int | None = None,
) -> Float[Tensor, "B H T S"]:
    r"""Return what each query gives to each key: products, scale, mask and softmax, each one line.

    Args:
        q: Queries.
        k: Keys; H_kv divides H.
        mask: As for :func:`scaled_dot_product_attention`.
        causal: Likewise.
        scale: Likewise.
        window: Likewise.

    Returns:
        Weights that add up to 1 over the keys, or are all 0 where a query may see none. The softmax is taken in fp32.

    Example:
        >>> attention_weights(torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4), causal=True)[0, 0]
        tensor([[1.0000, 0.0000],
                [0.5000, 0.5000]])
    """
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = (q @ expand_kv_heads(k, q.shape[1]).transpose(-1, -2)) * scale
    allowed = attention_mask(q.shape[2], k.shape[2], mask=mask, causal=causal, window=window, device=q.device)
    if allowed is None:
        return _softmax(scores)
    # The lowest finite number rather than -inf: a row of -inf alone would give NaN, and NaN in its gradient.
    weights = _softmax(scores.masked_fill(~allowed, torch.finfo(scores.dtype).min))
    return weights.masked_fill(~allowed, 0.0)


def attention_mask(
    n_queries: int,
    n_keys: int,
    *,
    mask: Bool[Tensor, "*#batch T S"] | None = None,
    causal: bool = False,
    window: int | None = None,
    device: torch.device | str | None = None,
) -> Bool[Tensor, "*#batch T S"] | None:
    r"""Combine a mask with causality and a window.

    Args:
        n_queries: T; the last query stands beside the last key.
        n_keys: S.
        mask: True where attention is allowed.
        causal: Hide later keys.
        window: Hide keys this many tokens away, or further.
        device: Where the result is to be.

    Returns:
        True where attention is allowed; None where all of it is.

    Example:
        >>> attention_mask(2, 4, causal=True, window=2).int()
        tensor([[0, 1, 1, 0],
                [0, 0, 1, 1]], dtype=torch.int32)
    """
    if window is not None and (window >= n_keys and n_queries <= n_keys):
        window = None
    if window is None and not (causal and n_queries > 1):
        return mask
    query = torch.arange(n_queries, device=device)[:, None] + (n_keys - n_queries)
    behind = query - torch.arange(n_keys, device=device)
    allowed = behind >= 0 if causal else torch.ones_like(behind, dtype=torch.bool)
    if window is not None:
        allowed = allowed & (behind.abs() < window)
    return allowed if mask is None else allowed & mask


def expand_kv_heads(x: Float[Tensor, "B H_kv S features"], n_heads: int) -> Float[Tensor, "B H S features"]:
    r"""Repeat each head of keys or values for the neighbouring query heads that share it.

    Args:
        x: Keys or values.
        n_heads: Query heads, a multiple of H_kv.

    Returns:
        Heads in the order 0, 0, 1, 1, ... and not 0, 1, 0, 1, ...

    Example:
        >>> expand_kv_heads(torch.tensor([0.0, 1.0]).view(1, 2, 1, 1), 4).flatten()
        tensor([0., 0., 1., 1.])
    """
    return x if x.shape[1] == n_heads else x.repeat_interleave(n_heads // x.shape[1], dim=1)


def _softmax(scores: Tensor) -> Tensor:
    wide = torch.promote_types(scores.dtype, torch.float32)
    return scores.softmax(-1, dtype=wide).to(scores.dtype)


def _check(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, window: int | None) -> None:
    shapes = f"q has shape {tuple(q.shape)}, k {tuple(k.shape)} and v {tuple(v.shape)}"
    if q.ndim != 4 or k.ndim != 4 or v.ndim != 4:
        raise ValueError(f"{shapes}: each has to be (B, H, T, head_dim)")
    if q.shape[0] != k.shape[0] or q.shape[-1] != k.shape[-1] or k.shape[:3] != v.shape[:3]:
        raise ValueError(f"{shapes}: batch and head_dim of q and k have to agree, and all but the last size of k and v")
    if q.shape[1] % k.shape[1]:
        raise ValueError(f"{shapes}: {k.shape[1]} key-value heads cannot serve {q.shape[1]} query heads equally")
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(f"mask has dtype {mask.dtype}: make it boolean, True where attention is allowed")
    if window is not None and window < 1:
        raise ValueError(f"window is {window}: a token sees at least itself, so give 1 or more")
