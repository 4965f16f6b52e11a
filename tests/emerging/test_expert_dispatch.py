import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.architecture import swiglu
from llmcourse.emerging import apply_experts, combine, expert_capacity, expert_swiglu, route_top_k, sort_by_expert


def case(seed, n_tokens=11, n_experts=5, top_k=2, width=6, d_ff=4):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    weights, experts = route_top_k(draw(n_tokens, n_experts), top_k)
    matrices = draw(n_experts, d_ff, width), draw(n_experts, d_ff, width), draw(n_experts, width, d_ff)
    return draw(n_tokens, width), weights, experts, matrices


def token_by_token(x, weights, experts, matrices):
    rows = []
    for t in range(len(x)):
        done = [
            w * swiglu(x[t : t + 1], *(m[e] for m in matrices)) for w, e in zip(weights[t], experts[t], strict=True)
        ]
        rows.append(sum(done))
    return torch.cat(rows)


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 5))
def test_sorted_looped_and_token_by_token_agree(seed, n_tokens, top_k):
    x, weights, experts, matrices = case(seed, n_tokens, top_k=top_k)
    expected = token_by_token(x, weights, experts, matrices)
    functions = [lambda rows, e=e: swiglu(rows, *(m[e] for m in matrices)) for e in range(5)]
    torch.testing.assert_close(apply_experts(x, weights, experts, functions), expected, rtol=1e-5, atol=1e-5)
    slots, counts = sort_by_expert(experts, 5)
    found = combine(expert_swiglu(x[slots // top_k], counts, *matrices), slots, weights)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_gradients_agree():
    grads = []
    for fast in (False, True):
        x, weights, experts, matrices = case(3)
        leaves = [t.requires_grad_() for t in (x, weights, *matrices)]
        if fast:
            slots, counts = sort_by_expert(experts, 5)
            y = combine(expert_swiglu(x[slots // 2], counts, *matrices), slots, weights)
        else:
            y = token_by_token(x, weights, experts, matrices)
        y.square().sum().backward()
        grads.append([t.grad for t in leaves])
    torch.testing.assert_close(*grads, rtol=1e-5, atol=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 4), st.integers(1, 6))
def test_capacity_serves_first_choices_first(seed, n_tokens, top_k, capacity):
    experts = torch.rand(n_tokens, 4, generator=torch.Generator().manual_seed(seed)).topk(top_k).indices
    room, kept = [capacity] * 4, {e: [] for e in range(4)}
    for choice in range(top_k):
        for token in range(n_tokens):
            expert = int(experts[token, choice])
            if room[expert]:
                room[expert] -= 1
                kept[expert].append(token * top_k + choice)
    slots, counts = sort_by_expert(experts, 4, capacity=capacity)
    assert [sorted(block.tolist()) for block in slots.split(counts.tolist())] == [sorted(kept[e]) for e in range(4)]


def test_a_token_whose_slots_are_dropped_gets_0():
    slots, _ = sort_by_expert(torch.zeros(3, 1, dtype=torch.long), 2, capacity=1)
    found = combine(torch.ones(1, 2), slots, torch.full((3, 1), 0.5))
    assert found.tolist() == [[0.5, 0.5], [0, 0], [0, 0]]


def test_capacity():
    assert [expert_capacity(10, 2, 8, factor=f) for f in (1.0, 1.25, 0.01)] == [3, 4, 1]
    with pytest.raises(ValueError, match=r"factor is 0"):
        expert_capacity(10, 2, 8, factor=0)


def test_bf16_stays_bf16():
    x, weights, experts, matrices = case(1)
    slots, counts = sort_by_expert(experts, 5)
    low = expert_swiglu(x[slots // 2].bfloat16(), counts, *(m.bfloat16() for m in matrices))
    exact = expert_swiglu(x[slots // 2].bfloat16().float(), counts, *(m.bfloat16().float() for m in matrices))
    found = combine(low, slots, weights)
    assert found.dtype == torch.bfloat16
    # Three products and a sum, each rounded to 8 bits.
    scale = exact.abs().max().item()
    torch.testing.assert_close(found.float(), combine(exact, slots, weights), rtol=0, atol=4 * 2**-8 * scale)
