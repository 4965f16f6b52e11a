"""Batches: labels one token on, every place reached, and an epoch that repeats nothing."""

import pytest
import torch

from llmcourse.pretraining import get_batch, one_epoch


def test_labels_are_the_inputs_one_token_later_and_every_place_is_reached() -> None:
    tokens = 100 + torch.arange(10)
    generator = torch.Generator().manual_seed(0)
    inputs, labels = get_batch(tokens, 500, 4, generator=generator)
    assert inputs.shape == labels.shape == (500, 4)
    assert inputs.dtype == labels.dtype == torch.int64
    assert torch.equal(labels, inputs + 1)
    assert set(inputs[:, 0].tolist()) == set(range(100, 106))  # the last label is the text's last token


def test_a_text_of_one_window_is_enough() -> None:
    inputs, labels = get_batch(torch.arange(5), 2, 4)
    assert inputs.tolist() == [[0, 1, 2, 3]] * 2
    assert labels.tolist() == [[1, 2, 3, 4]] * 2


def test_batches_follow_their_generator() -> None:
    tokens = torch.arange(1000, dtype=torch.int32)
    first, again, other = (get_batch(tokens, 4, 8, generator=torch.Generator().manual_seed(s))[0] for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("n_tokens", "batch_size", "seq_len"), [(97, 4, 8), (33, 4, 8), (40, 1, 3)])
def test_an_epoch_predicts_each_token_once(n_tokens: int, batch_size: int, seq_len: int) -> None:
    tokens = torch.arange(n_tokens, dtype=torch.int32)
    batches = list(one_epoch(tokens, batch_size, seq_len, generator=torch.Generator().manual_seed(0)))
    assert all(inputs.shape == (batch_size, seq_len) and torch.equal(labels, inputs + 1) for inputs, labels in batches)
    predicted = torch.cat([labels.flatten() for _, labels in batches]).tolist()
    assert len(predicted) == len(set(predicted)) == (n_tokens - 1) // seq_len // batch_size * batch_size * seq_len


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_batch(torch.arange(4), 1, 4), "tokens are 4"),
        (lambda: get_batch(torch.arange(4), 0, 2), "batch_size is 0"),
        (lambda: next(one_epoch(torch.arange(16), 2, 8)), "need 17"),
    ],
)
def test_texts_that_are_too_short_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
