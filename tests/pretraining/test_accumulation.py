"""Accumulation: the gradients of the large batch, however its labels are masked."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import MicroBatch, accumulate_gradients

torch.set_num_threads(1)
CONFIG = ModelConfig(vocab_size=11, d_model=16, n_layers=1, n_heads=2, max_seq_len=8)


def model_of(seed: int) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(CONFIG)


def loss_of(model: nn.Module, batch: MicroBatch) -> torch.Tensor:
    return model.loss(batch.inputs, batch.labels, batch.mask)


def batch_of(seed: int, keep: float) -> MicroBatch:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(11, (4, 9), generator=generator)
    mask = torch.rand(4, 8, generator=generator) < keep
    mask[0] = False  # a sequence of which nothing counts, alone in its part
    return MicroBatch(tokens[:, :-1], tokens[:, 1:], mask)


@given(seed=st.integers(0, 50), keep=st.sampled_from([0.1, 0.5, 1.0]), n=st.sampled_from([1, 2, 4]))
def test_parts_give_the_gradients_of_the_whole(seed: int, keep: float, n: int) -> None:
    batch, whole, parts = batch_of(seed, keep), model_of(seed), model_of(seed)
    logits = whole(batch.inputs)[batch.mask]
    expected = nn.functional.cross_entropy(logits, batch.labels[batch.mask], reduction="sum") / max(batch.n_kept, 1)
    expected.backward()
    found = accumulate_gradients(parts, list(batch.split(n)), loss_of)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-6)
    for one, other in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_a_mean_of_means_would_be_another_gradient() -> None:
    batch, whole, parts = batch_of(3, 0.5), model_of(3), model_of(3)
    accumulate_gradients(whole, [batch], loss_of)
    for part in batch.split(4):
        (loss_of(parts, part) / 4).backward()
    assert (parts.output.weight.grad - whole.output.weight.grad).abs().max() > 1e-3


def test_the_scale_is_in_the_gradients_alone_and_other_processes_labels_in_both() -> None:
    batch = batch_of(0, 1.0)
    plain, scaled, shared = model_of(0), model_of(0), model_of(0)
    loss = accumulate_gradients(plain, [batch], loss_of)
    assert torch.equal(accumulate_gradients(scaled, [batch], loss_of, scale=1024.0), loss)
    assert torch.equal(scaled.output.weight.grad, 1024 * plain.output.weight.grad)
    half = accumulate_gradients(shared, [batch], loss_of, n_kept=2 * batch.n_kept)
    assert float(half) == pytest.approx(float(loss) / 2)


def test_nothing_at_all_is_a_loss_of_zero() -> None:
    assert float(accumulate_gradients(model_of(0), [], loss_of)) == 0.0
