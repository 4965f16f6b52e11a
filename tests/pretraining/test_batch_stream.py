import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import BatchStream

TOKENS = torch.arange(101)


def labels_of(stream, n):
    return [next(stream).labels.tolist() for _ in range(n)]


def test_each_sequence_comes_once_an_epoch_and_epochs_differ():
    stream = BatchStream(TOKENS, batch_size=5, seq_len=4, seed=1)
    assert stream.batches_per_epoch == 5
    epochs = [labels_of(stream, 5) for _ in range(2)]
    for epoch in epochs:
        assert sorted(token for batch in epoch for row in batch for token in row) == list(range(1, 101))
    assert epochs[0] != epochs[1]


def test_labels_are_the_next_tokens():
    batch = next(BatchStream(TOKENS, batch_size=5, seq_len=4))
    assert torch.equal(batch.labels, batch.inputs + 1)
    assert batch.inputs.dtype == torch.int64


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**40), done=st.integers(0, 17), size=st.sampled_from([1, 2, 4]))
def test_a_stream_goes_on_where_it_was_with_any_number_of_processes(seed, done, size):
    whole = BatchStream(TOKENS, batch_size=4, seq_len=3, seed=seed)
    labels_of(whole, done)
    state = whole.state_dict()
    expected = next(whole).labels
    parts = []
    for rank in range(size):
        part = BatchStream(TOKENS, batch_size=4, seq_len=3, seed=seed, data_rank=rank, data_size=size)
        part.load_state_dict(state)
        parts.append(next(part).labels)
    assert torch.equal(torch.cat(parts), expected)


def test_seeds_differ():
    first, second = (BatchStream(TOKENS, batch_size=5, seq_len=4, seed=seed) for seed in (0, 1))
    assert labels_of(first, 1) != labels_of(second, 1)


def test_small_integers_will_do():
    tokens = torch.arange(101).to(torch.int32)
    assert next(BatchStream(tokens, batch_size=2, seq_len=4)).inputs.dtype == torch.int64


@pytest.mark.parametrize(
    ("n_tokens", "sizes", "message"),
    [
        (0, {"batch_size": 1, "seq_len": 4}, "the text has 0 tokens: a batch of 1 sequences of 4 needs 5"),
        (8, {"batch_size": 2, "seq_len": 4}, "the text has 8 tokens: a batch of 2 sequences of 4 needs 9"),
        (100, {"batch_size": 0, "seq_len": 4}, "batch_size is 0"),
        (100, {"batch_size": 3, "seq_len": 4, "data_size": 2}, "batch_size is 3, data_rank 0 and data_size 2"),
        (100, {"batch_size": 4, "seq_len": 4, "data_size": 2, "data_rank": 2}, "data_rank 2"),
    ],
)
def test_bad_numbers_are_quoted(n_tokens, sizes, message):
    with pytest.raises(ValueError, match=message):
        BatchStream(torch.arange(n_tokens), **sizes)
