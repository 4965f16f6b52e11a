"""Micro-batches: parts that together are the whole."""

import pytest
import torch

from llmcourse.pretraining import MicroBatch


def whole() -> MicroBatch:
    tokens = torch.arange(24).reshape(6, 4)
    return MicroBatch(tokens, tokens + 1, tokens % 3 == 0, tokens // 7)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_parts_are_the_whole_in_order(n: int) -> None:
    parts = list(whole().split(n))
    assert len(parts) == n
    for field, original in enumerate(whole()):
        assert torch.equal(torch.cat([part[field] for part in parts]), original)
    assert sum(part.n_kept for part in parts) == whole().n_kept == 8


def test_without_a_mask_all_labels_count() -> None:
    tokens = torch.zeros(2, 5, dtype=torch.long)
    (part,) = MicroBatch(tokens, tokens).split(1)
    assert part.n_kept == 10 and part.mask is None and part.document_ids is None
    assert MicroBatch(tokens, tokens).to("meta").labels.device.type == "meta"


@pytest.mark.parametrize("n", [0, 4, 7])
def test_parts_that_would_not_be_equal_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"6 sequences do not split into {n} equal parts"):
        list(whole().split(n))
