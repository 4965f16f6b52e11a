"""Log-probabilities: against torch's loss, an enumeration, and where nothing or nothing usable stands."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import sequence_log_probs, token_log_probs


def case(seed: int, batch: int = 3, seq_len: int = 5, vocab_size: int = 7):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(batch, seq_len, vocab_size, generator=generator)
    labels = torch.randint(vocab_size, (batch, seq_len), generator=generator)
    return logits, labels, torch.rand(batch, seq_len, generator=generator) < 0.5


@given(seed=st.integers(0, 1000), batch=st.integers(1, 3), seq_len=st.integers(1, 5), vocab_size=st.integers(1, 9))
def test_sums_and_averages_are_those_of_torch(seed: int, batch: int, seq_len: int, vocab_size: int) -> None:
    logits, labels, mask = case(seed, batch, seq_len, vocab_size)
    losses = F.cross_entropy(logits.transpose(1, 2), labels.where(mask, -100), reduction="none")
    torch.testing.assert_close(token_log_probs(logits, labels, mask), -losses, rtol=1e-5, atol=1e-5)
    total = -losses.sum(1)
    torch.testing.assert_close(sequence_log_probs(logits, labels, mask), total, rtol=1e-5, atol=1e-5)
    found = sequence_log_probs(logits, labels, mask, average=True)
    torch.testing.assert_close(found, total / mask.sum(1).clamp(min=1), rtol=1e-5, atol=1e-5)
    everything = sequence_log_probs(logits, labels, torch.ones_like(mask))
    torch.testing.assert_close(sequence_log_probs(logits, labels), everything)


def test_probabilities_of_all_sequences_add_up_to_one() -> None:
    logits = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    sequences = torch.tensor(list(itertools.product(range(4), repeat=3)))
    found = sequence_log_probs(logits.expand(64, -1, -1), sequences)
    assert float(found.exp().sum()) == pytest.approx(1, rel=1e-5)


def test_what_is_masked_is_not_looked_at() -> None:
    logits, labels, mask = case(0)
    expected = sequence_log_probs(logits, labels, mask)
    leaf = logits.masked_fill(~mask[..., None], torch.nan).requires_grad_()
    found = sequence_log_probs(leaf, labels.masked_fill(~mask, -100), mask)
    assert torch.equal(found, expected)
    (gradient,) = torch.autograd.grad(found.sum(), leaf)
    assert bool(gradient.isfinite().all()) and not gradient[~mask].any()


@pytest.mark.parametrize("average", [False, True])
def test_a_sequence_of_which_nothing_counts_has_zero(average: bool) -> None:
    logits, labels, mask = case(1)
    mask[1] = False
    logits.requires_grad_()
    found = sequence_log_probs(logits, labels, mask, average=average)
    found.sum().backward()
    assert found[1] == 0 and not logits.grad[1].any()
    nothing = sequence_log_probs(logits, labels, torch.zeros_like(mask), average=average)
    assert nothing.tolist() == [0, 0, 0]


def test_gradients_and_dtypes() -> None:
    logits, labels, mask = case(2)
    leaf = logits.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: sequence_log_probs(x, labels, mask), leaf)
    assert torch.autograd.gradcheck(lambda x: sequence_log_probs(x, labels, mask, average=True), leaf)
    narrow = logits.bfloat16()
    found = sequence_log_probs(narrow, labels, mask)
    assert found.dtype == torch.float32  # computed in fp32 from numbers that were rounded before
    torch.testing.assert_close(found, sequence_log_probs(narrow.float(), labels, mask))
    large = sequence_log_probs(1e3 * torch.eye(4)[None], torch.tensor([[0, 0, 2, 3]]))
    assert large.tolist() == [-1000.0]


def test_wrong_labels_and_shapes_are_refused() -> None:
    with pytest.raises(IndexError):
        token_log_probs(torch.zeros(1, 2, 4), torch.tensor([[0, -100]]))
    with pytest.raises(ValueError, match=r"logits are \(2, 3, 4\) and labels \(2, 4\)"):
        sequence_log_probs(torch.zeros(2, 3, 4), torch.zeros(2, 4, dtype=torch.int64))
    for mask in (torch.ones(2, 1, dtype=torch.bool), torch.ones(2, 3)):
        with pytest.raises(ValueError, match="give booleans"):
            sequence_log_probs(torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.int64), mask)


def test_an_even_model() -> None:
    found = sequence_log_probs(torch.zeros(1, 4, 10), torch.tensor([[1, 2, 3, 4]]))
    assert float(found) == pytest.approx(-4 * math.log(10))
