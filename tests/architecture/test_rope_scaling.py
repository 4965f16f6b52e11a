import pytest
import torch

from llmcourse.architecture import (
    ROPE_SCALINGS,
    ModelConfig,
    Transformer,
    register_rope_scaling,
    rope_frequencies,
    scale_frequencies,
)

LLAMA3 = {"type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA3 |= {"original_max_position_embeddings": 8192}


@pytest.mark.parametrize("kind", ["linear", "llama3"])
def test_as_transformers(kind):
    rope_utils = pytest.importorskip("transformers.modeling_rope_utils")
    transformers = pytest.importorskip("transformers")
    ours = LLAMA3 if kind == "llama3" else {"type": "linear", "factor": 3.0}
    theirs = {"rope_type": kind, "rope_theta": 500000.0} | {k: v for k, v in ours.items() if k != "type"}
    config = transformers.LlamaConfig(
        hidden_size=512, num_attention_heads=4, max_position_embeddings=131072, rope_parameters=theirs
    )
    expected, factor = rope_utils.ROPE_INIT_FUNCTIONS[kind](config, "cpu")
    frequencies, ours_factor = scale_frequencies(rope_frequencies(128, theta=500000.0), ours, theta=500000.0)
    torch.testing.assert_close(frequencies, expected, rtol=1e-6, atol=0)
    assert ours_factor == factor == 1.0


def test_llama3_keeps_fast_pairs_and_slows_slow_ones_by_the_factor():
    plain = rope_frequencies(128, theta=500000.0)
    scaled, _ = scale_frequencies(plain, LLAMA3, theta=500000.0)
    assert scaled[0] == plain[0] and scaled[-1] == plain[-1] / 8
    ratios = plain / scaled
    assert (ratios.diff() >= -1e-6).all() and (ratios > 1.01).logical_and(ratios < 7.99).any()


def test_none_changes_nothing():
    plain = rope_frequencies(8)
    assert scale_frequencies(plain, None, theta=1e4) == (plain, 1.0)


def test_a_scaling_can_be_registered_and_reaches_the_model():
    @register_rope_scaling("test_double")
    def double(frequencies, options):
        return frequencies * options["times"], 0.5

    try:
        config = ModelConfig(
            vocab_size=8, d_model=8, n_layers=1, n_heads=2, rope_scaling={"type": "test_double", "times": 2.0}
        )
        rotary = Transformer(config).rotary
        assert torch.equal(rotary.frequencies, 2 * rope_frequencies(4)) and rotary.attention_factor == 0.5
        assert rotary(torch.tensor([0]))[0].eq(0.5).all()
    finally:
        del ROPE_SCALINGS["test_double"]


@pytest.mark.parametrize(
    ("scaling", "message"),
    [
        ({"type": "yarn_of_tomorrow"}, "import llmcourse.emerging"),
        ({"type": "linear"}, "needs 'factor' greater than 0, and has None"),
        ({"type": "linear", "factor": 0}, "has 0"),
        ({"type": "linear", "factor": 2.0, "extra": 1}, "no option 'extra'"),
        (LLAMA3 | {"high_freq_factor": 1.0}, "high_freq_factor is 1.0 and low_freq_factor 1.0"),
    ],
)
def test_refusals(scaling, message):
    with pytest.raises(ValueError, match=message):
        scale_frequencies(rope_frequencies(8), scaling, theta=1e4)
