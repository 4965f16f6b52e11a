import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import filter_logits, sample

LOGITS = torch.randn(6, 40, generator=torch.Generator().manual_seed(0)) * 3


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 1},
        {"top_k": 7},
        {"top_k": 99},
        {"top_p": 0.05},
        {"top_p": 0.8},
        {"min_p": 0.1},
        {"temperature": 0.6},
        {"temperature": 2.0, "top_k": 12, "top_p": 0.7, "min_p": 0.02},
    ],
)
def test_as_transformers(options):
    processors = pytest.importorskip("transformers.generation.logits_process")
    kinds = {
        "temperature": processors.TemperatureLogitsWarper,
        "top_k": processors.TopKLogitsWarper,
        "top_p": processors.TopPLogitsWarper,
        "min_p": processors.MinPLogitsWarper,
    }
    expected = LOGITS
    for name, kind in kinds.items():
        if name in options:
            expected = kind(options[name])(None, expected)
    torch.testing.assert_close(filter_logits(LOGITS, **options), expected, rtol=1e-6, atol=0)


@settings(max_examples=25)
@given(st.floats(0.01, 1), st.integers(0, 99))
def test_top_p_keeps_the_fewest_that_suffice(top_p, seed):
    logits = torch.randn(3, 20, generator=torch.Generator().manual_seed(seed))
    kept = filter_logits(logits, top_p=top_p).isfinite()
    for row, chosen in zip(logits.softmax(-1), kept, strict=True):
        inside = row[chosen]
        assert inside.sum() >= top_p - 1e-5 and inside.sum() - inside.min() <= top_p + 1e-5
        assert not (~chosen).any() or row[~chosen].max() <= inside.min()


def test_draws_follow_the_probabilities():
    logits = torch.tensor([[0.0, 1.0, 2.0]]).expand(20_000, 3)
    drawn = sample(logits, temperature=0.5, generator=torch.Generator().manual_seed(0))
    shares = drawn.bincount(minlength=3) / 20_000
    # The standard deviation of a share is at most 0.0035.
    torch.testing.assert_close(shares, (logits[0] / 0.5).softmax(-1), rtol=0, atol=0.015)


def test_greedy_takes_the_likeliest():
    assert torch.equal(sample(LOGITS, temperature=0.0), LOGITS.argmax(-1))
    assert torch.equal(sample(LOGITS, top_k=1), LOGITS.argmax(-1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"min_p": -0.1}, "min_p is -0.1"),
        ({"temperature": 0.0, "top_k": -3}, "top_k is -3"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        sample(LOGITS, **options)
