import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.architecture import ModelConfig, Transformer, rope_frequencies, scale_frequencies
from llmcourse.emerging import (
    dynamic_ntk_theta,
    interpolated_frequencies,
    ntk_scaled_theta,
    yarn_attention_factor,
    yarn_frequencies,
)

DIMS, THETAS, SCALES = st.sampled_from([8, 64, 96, 128]), st.sampled_from([1e4, 5e5, 1e6]), st.floats(1, 64)
YARN = {"type": "yarn", "factor": 16.0, "original_max_position_embeddings": 4096}


def theirs(kind: str, *, head_dim: int, theta: float, max_seq_len: int = 131072, seq_len=None, **options):
    """Return what transformers computes."""
    transformers = pytest.importorskip("transformers")
    utilities = pytest.importorskip("transformers.modeling_rope_utils")
    config = transformers.LlamaConfig(
        hidden_size=4 * head_dim,
        num_attention_heads=4,
        max_position_embeddings=max_seq_len,
        rope_parameters={"rope_type": kind, "rope_theta": theta, **options},
    )
    return utilities.ROPE_INIT_FUNCTIONS[kind](config, "cpu", seq_len=seq_len)


@given(DIMS, THETAS, SCALES)
def test_interpolation_as_transformers(head_dim, theta, scale):
    expected, _ = theirs("linear", head_dim=head_dim, theta=theta, factor=scale)
    found = interpolated_frequencies(head_dim, theta=theta, scale=scale)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@given(DIMS, THETAS, st.floats(1, 8), st.sampled_from([1, 100, 4096, 4097, 8192, 100_000]))
def test_dynamic_ntk_as_transformers(head_dim, theta, scale, seq_len):
    expected, _ = theirs("dynamic", head_dim=head_dim, theta=theta, max_seq_len=4096, seq_len=seq_len, factor=scale)
    base = dynamic_ntk_theta(theta, scale, head_dim, seq_len=seq_len, original_max_seq_len=4096)
    torch.testing.assert_close(rope_frequencies(head_dim, theta=base), expected, rtol=1e-6, atol=0)


@given(DIMS, THETAS, SCALES, st.sampled_from([256, 4096, 32768]), st.booleans(), st.sampled_from([(32, 1), (16, 2)]))
def test_yarn_as_transformers(head_dim, theta, scale, original, truncate, betas):
    fast, slow = betas
    expected, factor = theirs(
        "yarn",
        head_dim=head_dim,
        theta=theta,
        factor=scale,
        original_max_position_embeddings=original,
        beta_fast=fast,
        beta_slow=slow,
        truncate=truncate,
    )
    found, found_factor = yarn_frequencies(
        head_dim,
        theta=theta,
        scale=scale,
        original_max_seq_len=original,
        beta_fast=fast,
        beta_slow=slow,
        truncate=truncate,
    )
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    assert found_factor == pytest.approx(factor, rel=1e-12)


@given(DIMS, THETAS, SCALES)
def test_ntk_slows_the_slowest_pair_by_the_scale_and_no_other_by_more(head_dim, theta, scale):
    base = ntk_scaled_theta(theta, scale, head_dim)
    slowed = rope_frequencies(head_dim, theta=theta).double() / rope_frequencies(head_dim, theta=base).double()
    assert slowed[0] == 1 and slowed[-1].item() == pytest.approx(scale, rel=1e-5)
    assert (slowed <= scale * (1 + 1e-5)).all()


@given(DIMS, THETAS, SCALES)
def test_yarn_keeps_what_turns_often_and_interpolates_what_never_went_round(head_dim, theta, scale):
    plain = rope_frequencies(head_dim, theta=theta)
    found, _ = yarn_frequencies(head_dim, theta=theta, scale=scale, original_max_seq_len=4096)
    turns = plain * 4096 / (2 * math.pi)
    ramp_end = math.ceil(head_dim * math.log(4096 / (2 * math.pi)) / (2 * math.log(theta)))
    assert torch.equal(found[turns > 32 * theta ** (2 / head_dim)], plain[turns > 32 * theta ** (2 / head_dim)])
    torch.testing.assert_close(found[ramp_end:], plain[ramp_end:] / scale, rtol=1e-6, atol=0)


def test_attention_factor_multiplies_queries_and_keys_so_that_logits_gain_its_square():
    config = ModelConfig(vocab_size=8, d_model=32, n_layers=1, n_heads=2, rope_scaling=YARN)
    rotary = Transformer(config).rotary
    assert rotary is not None and rotary.attention_factor == pytest.approx(0.1 * math.log(16) + 1)
    cos, sin = rotary(torch.tensor([3, 7]))
    assert (cos.square() + sin.square()).flatten().tolist() == pytest.approx([yarn_attention_factor(16.0) ** 2] * 32)
    assert yarn_attention_factor(1.0) == 1.0


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"attention_factor": 1.5},
        {"mscale": 1.0, "mscale_all_dim": 0.5},
        {"mscale": 1.0, "mscale_all_dim": 1.0, "beta_fast": 16, "beta_slow": 2},
        {"truncate": False, "beta_fast": None},
    ],
)
def test_registered_yarn_reads_the_options_of_a_config_json(extra):
    ours, options = YARN | extra, {k: v for k, v in (YARN | extra).items() if k != "type"}
    expected, factor = theirs("yarn", head_dim=128, theta=1e4, **options)
    found, found_factor = scale_frequencies(rope_frequencies(128), ours, theta=1e4)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    assert found_factor == pytest.approx(factor, rel=1e-12)


def test_registered_ntk_raises_the_base():
    found, factor = scale_frequencies(rope_frequencies(64, theta=5e5), {"type": "ntk", "factor": 8.0}, theta=5e5)
    assert torch.equal(found, rope_frequencies(64, theta=ntk_scaled_theta(5e5, 8.0, 64))) and factor == 1.0


def test_logits_of_a_yarn_model_as_transformers():
    transformers = pytest.importorskip("transformers")
    from llmcourse.architecture import load_huggingface

    rope = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 64}
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=32, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, rope_parameters=rope,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).eval()
    tokens = torch.randint(32, (1, 200))
    with torch.no_grad():
        torch.testing.assert_close(load_huggingface(model)(tokens), model(tokens).logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ntk_scaled_theta(1e4, 0.5, 64), "scale is 0.5"),
        (lambda: ntk_scaled_theta(1e4, 2.0, 2), "head_dim is 2"),
        (lambda: ntk_scaled_theta(-1.0, 2.0, 64), "theta is -1.0"),
        (lambda: interpolated_frequencies(64, theta=1e4, scale=math.nan), "scale is nan"),
        (lambda: dynamic_ntk_theta(1e4, 1.0, 64, seq_len=0, original_max_seq_len=8), "seq_len is 0"),
        (
            lambda: yarn_frequencies(64, theta=1e4, scale=2.0, original_max_seq_len=64, beta_fast=1),
            "beta_fast is 1 and beta_slow 1",
        ),
        (lambda: yarn_frequencies(64, theta=1e4, scale=2.0, original_max_seq_len=4), "within 4 tokens no pair"),
        (lambda: scale_frequencies(torch.ones(4), {"type": "yarn", "factor": 2.0}, theta=1e4), "needs 'original_max"),
        (lambda: scale_frequencies(torch.ones(4), YARN | {"factor": "2"}, theta=1e4), "'factor' '2': give a number"),
        (lambda: scale_frequencies(torch.ones(4), {"type": "ntk", "scale": 2.0}, theta=1e4), "no option 'scale'"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
