"""The loss: against a hand-written softmax, and where nothing is kept."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import bits_per_byte, cross_entropy, z_loss
from llmcourse.tokenization import train_bpe


def by_hand(logits: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> float:
    total, count = 0.0, 0
    for row, label, kept in zip(logits.double().flatten(0, -2), labels.flatten(), mask.flatten(), strict=True):
        if kept:
            total += float(row.exp().sum().log() - row[label])
            count += 1
    return total / count


@given(seed=st.integers(0, 1000), batch=st.integers(1, 3), length=st.integers(1, 5), vocab_size=st.integers(1, 9))
def test_it_is_the_mean_over_kept_labels(seed: int, batch: int, length: int, vocab_size: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(batch, length, vocab_size, generator=generator)
    labels = torch.randint(vocab_size, (batch, length), generator=generator)
    mask = torch.rand(batch, length, generator=generator) < 0.6
    mask[0, 0] = True
    assert float(cross_entropy(logits, labels, mask)) == pytest.approx(
        by_hand(logits, labels, mask), rel=1e-5, abs=1e-6
    )
    everything = torch.ones_like(mask)
    assert float(cross_entropy(logits, labels)) == pytest.approx(
        by_hand(logits, labels, everything), rel=1e-5, abs=1e-6
    )


def test_a_batch_with_no_kept_label_costs_nothing_and_moves_nothing() -> None:
    logits = torch.randn(2, 3, 5, requires_grad=True)
    loss = cross_entropy(logits, torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None and torch.equal(logits.grad, torch.zeros(2, 3, 5))


def test_what_is_masked_is_not_looked_at() -> None:
    logits = torch.zeros(1, 3, 4)
    logits[0, 1] = torch.nan
    logits.requires_grad_()
    loss = cross_entropy(logits, torch.tensor([[1, -100, 3]]), torch.tensor([[True, False, True]]))
    loss.backward()
    assert loss.item() == pytest.approx(1.3862944)
    assert logits.grad is not None and bool(logits.grad.isfinite().all())
    assert torch.equal(logits.grad[0, 1], torch.zeros(4))


def test_bf16_logits_are_summed_in_fp32() -> None:
    logits = torch.randn(4, 1000).bfloat16()
    labels = torch.arange(4)
    loss = cross_entropy(logits, labels)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(by_hand(logits, labels, torch.ones(4, dtype=torch.bool)), rel=1e-5)


def test_an_unmasked_label_out_of_range_is_an_error() -> None:
    with pytest.raises(IndexError):
        cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[0, -100]]))


@pytest.mark.parametrize(
    ("logits", "labels", "mask", "message"),
    [
        ((2, 3, 4), (2, 4), None, r"logits are \(2, 3, 4\) and labels \(2, 4\)"),
        ((2, 3, 4), (2, 3), torch.ones(2, 1, dtype=torch.bool), r"mask is \(2, 1\)"),
        ((2, 3, 4), (2, 3), torch.ones(2, 3), "torch.float32"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(logits, labels, mask, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cross_entropy(torch.zeros(logits), torch.zeros(labels, dtype=torch.int64), mask)


def test_z_loss_pulls_the_normaliser_to_one_and_leaves_the_differences() -> None:
    logits = torch.randn(2, 3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 5
    logits.requires_grad_()
    loss = z_loss(logits, weight=1e-2)
    expected = 1e-2 * logits.exp().sum(-1).log().square().mean()
    torch.testing.assert_close(loss.double(), expected, rtol=1e-6, atol=1e-6)
    (found,) = torch.autograd.grad(loss, logits)
    (wanted,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)
    level = logits.detach() - logits.detach().logsumexp(-1, keepdim=True)
    assert float(z_loss(level, weight=1.0)) == pytest.approx(0, abs=1e-10)


def test_z_loss_of_masked_positions_is_nothing() -> None:
    logits = torch.randn(2, 3, 7, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, False, True]])
    spoiled = logits.detach().masked_fill(~mask[..., None], float("nan"))
    torch.testing.assert_close(z_loss(spoiled, mask), z_loss(logits[mask]))
    nothing = z_loss(logits, torch.zeros(2, 3, dtype=torch.bool))
    nothing.backward()
    assert nothing == 0 and not logits.grad.any()
    with pytest.raises(ValueError, match=r"mask is \(3, 2\) of torch.bool: give booleans of \(2, 3\)"):
        z_loss(logits, torch.ones(3, 2, dtype=torch.bool))


def test_bits_per_byte_does_not_depend_on_how_characters_are_cut() -> None:
    text = "€ is no byte, ☃ neither"
    bytes_only = train_bpe("no", vocab_size=256)
    tokens = bytes_only.encode(text)
    nats = len(tokens) * math.log(256)  # a model that thinks every byte as likely as any other
    assert bits_per_byte(nats, len(text.encode())) == pytest.approx(8.0)
    alone = sum(len(bytes_only.decode([token]).encode()) for token in tokens)
    assert alone > len(text.encode()), "half a character decodes to three bytes: what must not be counted"
    with pytest.raises(ValueError, match="n_bytes is 0"):
        bits_per_byte(0.0, 0)
