from collections import deque

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining.parallelism import ring_all_reduce, ring_all_reduce_


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 6), size=st.integers(0, 20), seed=st.integers(0, 1000))
def test_every_rank_has_the_sum_and_sends_no_more_than_it_must(n, size, seed):
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.randn(size, generator=generator) for _ in range(n)]
    before = [tensor.clone() for tensor in tensors]
    boxes, sent = [deque() for _ in range(n)], [0] * n

    def send(rank, tensor):
        sent[rank] += tensor.numel()
        boxes[(rank + 1) % n].append(tensor.clone())

    for found in ring_all_reduce(tensors, send, lambda rank: boxes[rank].popleft()):
        torch.testing.assert_close(found, torch.stack(before).sum(0), rtol=1e-5, atol=1e-5)
    assert all(torch.equal(one, other) for one, other in zip(tensors, before, strict=True))
    assert not any(boxes)
    assert max(sent) <= 2 * (n - 1) * -(-size // n)


def test_what_is_not_contiguous_is_refused():
    with pytest.raises(ValueError, match=r"strides \(1, 3\)"):
        ring_all_reduce_(torch.ones(2, 3).T)
