import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import ModelConfig, RotaryEmbedding, apply_rope, convert_pairing, rope_frequencies, rotate

seeds = st.integers(0, 10_000)
pairings = st.sampled_from(["interleaved", "half"])
positions_of = st.integers(0, 500)


def vectors(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def turn_by_hand(x, position, theta, pairing):
    """One vector, one pair after another, in Python's own arithmetic."""
    d, turned = len(x), [0.0] * len(x)
    for i in range(d // 2):
        a, b = (2 * i, 2 * i + 1) if pairing == "interleaved" else (i, i + d // 2)
        angle = position * theta ** (-2 * i / d)
        turned[a] = x[a] * math.cos(angle) - x[b] * math.sin(angle)
        turned[b] = x[a] * math.sin(angle) + x[b] * math.cos(angle)
    return turned


@pytest.mark.parametrize("pairing", ["interleaved", "half"])
@pytest.mark.parametrize("d", [2, 6, 10])
def test_as_written_out_pair_by_pair(pairing, d):
    x = torch.randn(2, 3, 5, d)
    positions = torch.tensor([0, 1, 4, 7, 100])
    turned = apply_rope(x, positions, theta=1000.0, pairing=pairing)
    for b in range(2):
        for h in range(3):
            for t, position in enumerate(positions.tolist()):
                expected = turn_by_hand(x[b, h, t].tolist(), position, 1000.0, pairing)
                torch.testing.assert_close(turned[b, h, t], torch.tensor(expected), rtol=1e-5, atol=1e-5)


def test_as_transformers():
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    q, k, positions = torch.randn(2, 4, 9, 16), torch.randn(2, 2, 9, 16), torch.arange(9)
    angles = torch.outer(positions.float(), rope_frequencies(16))
    tables = torch.cat([angles, angles], -1)[None]
    theirs = llama.apply_rotary_pos_emb(q, k, tables.cos(), tables.sin())
    ours = apply_rope(q, positions, pairing="half"), apply_rope(k, positions, pairing="half")
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@settings(max_examples=25)
@given(seeds, positions_of, positions_of, positions_of, pairings)
def test_products_depend_on_the_distance_alone(seed, m, n, shift, pairing):
    q, k = vectors(seed, 1, 1, 1, 8), vectors(seed + 1, 1, 1, 1, 8)

    def product(m, n):
        turned = [apply_rope(x, torch.tensor([p]), pairing=pairing) for x, p in ((q, m), (k, n))]
        return (turned[0] * turned[1]).sum()

    # Angles are fp32: at position 1000 they are good to 1000 * 2^-24, and products of 8 features to some 1e-3.
    torch.testing.assert_close(product(m, n), product(m + shift, n + shift), rtol=0, atol=2e-3)


@settings(max_examples=25)
@given(seeds, positions_of, pairings)
def test_norms_are_kept_of_each_pair(seed, position, pairing):
    x = vectors(seed, 2, 3, 1, 8)
    turned = apply_rope(x, torch.tensor([position]), pairing=pairing)
    pairs = (
        (lambda y: y.unflatten(-1, (4, 2)).norm(dim=-1))
        if pairing == "interleaved"
        else (lambda y: y.unflatten(-1, (2, 4)).norm(dim=-2))
    )
    torch.testing.assert_close(pairs(turned), pairs(x), rtol=1e-6, atol=1e-9)


@settings(max_examples=25)
@given(seeds, pairings)
def test_position_0_turns_nothing(seed, pairing):
    x = vectors(seed, 1, 2, 1, 8)
    assert torch.equal(apply_rope(x, torch.tensor([0]), pairing=pairing), x)


def test_rows_with_positions_of_their_own():
    x = torch.randn(2, 3, 4, 8)
    positions = torch.tensor([[0, 1, 2, 3], [5, 6, 0, 1]])
    for row in range(2):
        alone = apply_rope(x[row : row + 1], positions[row])
        torch.testing.assert_close(apply_rope(x, positions)[row : row + 1], alone)


def test_frequencies_and_factor():
    frequencies = torch.tensor([0.3, 0.02])
    x = torch.randn(1, 1, 3, 4)
    positions = torch.arange(3)
    turned = apply_rope(x, positions, frequencies=frequencies, attention_factor=1.5)
    by_hand = x[0, 0, 2, 0] * math.cos(0.6) - x[0, 0, 2, 1] * math.sin(0.6)
    torch.testing.assert_close(turned[0, 0, 2, 0], 1.5 * by_hand)
    torch.testing.assert_close(rope_frequencies(8, theta=50.0), 50.0 ** (-torch.arange(4) / 4))


@pytest.mark.parametrize("pairing", ["interleaved", "half"])
def test_gradients_and_the_form_that_is_compiled(pairing, monkeypatch):
    x = torch.randn(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    angles = torch.randn(4, 3, dtype=torch.float64)
    angles = torch.cat([angles, angles], -1) if pairing == "half" else angles.repeat_interleave(2, -1)
    tables = angles.cos(), angles.sin()
    assert torch.autograd.gradcheck(lambda x: rotate(x, *tables, pairing=pairing), (x,))
    assert torch.autograd.gradgradcheck(lambda x: rotate(x, *tables, pairing=pairing), (x,))
    eager = rotate(x, *tables, pairing=pairing)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    torch.testing.assert_close(rotate(x, *tables, pairing=pairing), eager)


def test_bf16_turns_by_angles_in_fp32():
    # One rounding of the result to 8 bits. With angles in bf16, position 257 would be turned as 256 is.
    x = torch.ones(1, 1, 2, 2, dtype=torch.bfloat16)
    turned = apply_rope(x, torch.tensor([256, 257]))
    exact = apply_rope(x.float(), torch.tensor([256, 257]))
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.float(), exact, rtol=2**-8, atol=2**-8)


@settings(max_examples=25)
@given(seeds, st.sampled_from([2, 4, 8]), st.integers(1, 4))
def test_conversion_of_weights_keeps_scores(seed, head_dim, n_heads):
    x, positions = vectors(seed, 1, 5, 6), torch.arange(5)
    w_q, w_k = vectors(seed + 1, n_heads * head_dim, 6), vectors(seed + 2, n_heads * head_dim, 6)

    def scores(w_q, w_k, pairing):
        heads = [(x @ w.T).unflatten(-1, (n_heads, head_dim)).transpose(1, 2) for w in (w_q, w_k)]
        q, k = (apply_rope(h, positions, pairing=pairing) for h in heads)
        return q @ k.mT

    half = [convert_pairing(w, head_dim, to="half") for w in (w_q, w_k)]
    torch.testing.assert_close(scores(w_q, w_k, "interleaved"), scores(*half, "half"))
    assert torch.equal(convert_pairing(half[0], head_dim, to="interleaved"), w_q)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, p: apply_rope(x, p, pairing="thirds"), "pairing is 'thirds'"),
        (lambda x, p: apply_rope(x[..., :3], p), "even head_dim"),
        (lambda x, p: apply_rope(x[0], p), r"\(B, H, T, head_dim\)"),
        (lambda x, p: apply_rope(x, p[:2]), r"positions have shape \(2,\)"),
        (lambda x, p: apply_rope(x, p, frequencies=torch.ones(4)), "2 pairs need one each"),
        (lambda x, p: rope_frequencies(5), "head_dim is 5"),
        (lambda x, p: rope_frequencies(0), "head_dim is 0"),
        (lambda x, p: rope_frequencies(4, theta=-1.0), "theta is -1.0"),
        (lambda x, p: convert_pairing(x[0, 0], 4, to="whole"), "to is 'whole'"),
        (lambda x, p: convert_pairing(x[0, 0], 4, to="half"), "weight has 3 rows"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.randn(1, 2, 3, 4), torch.arange(3))


def test_frequencies_stay_exact_when_a_model_is_made_small_or_filled_later(config):
    rotary = RotaryEmbedding(config)
    exact = rope_frequencies(config.head_dim, theta=config.rope_theta)
    assert torch.equal(rotary.to(torch.bfloat16).frequencies, exact)
    with torch.device("meta"):
        late = RotaryEmbedding(config)
    assert torch.equal(late.to_empty(device="cpu").frequencies, exact)
    assert "frequencies" not in rotary.state_dict()


def test_tables_of_a_scaled_model():
    scaled = ModelConfig(vocab_size=8, d_model=8, n_layers=1, n_heads=2, rope_scaling={"type": "linear", "factor": 4.0})
    plain = ModelConfig(vocab_size=8, d_model=8, n_layers=1, n_heads=2)
    slow, fast = RotaryEmbedding(scaled)(torch.tensor([8])), RotaryEmbedding(plain)(torch.tensor([2]))
    torch.testing.assert_close(slow, fast)
