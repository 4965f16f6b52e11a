"""Scores from cached keys are those of all keys at once, and keys that moved up are those of later tokens alone."""

import math
import re
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.architecture import apply_rope
from llmcourse.architecture.rotated_keys import cached_scores, drop_oldest

ROTATIONS = [partial(apply_rope, pairing=pairing, theta=500.0) for pairing in ("interleaved", "half")]


def scores_of_all(q, k, rotate):
    positions = torch.arange(q.shape[2])
    return rotate(q, positions) @ rotate(k, positions).mT / math.sqrt(q.shape[-1])


@pytest.mark.parametrize("rotate", ROTATIONS)
@given(before=st.integers(0, 9), new=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_scores_equal_the_last_rows_of_all_tokens_at_once(rotate, before, new, seed):
    q, k = torch.randn(2, 2, 3, before + new, 8, generator=torch.Generator().manual_seed(seed))
    cached = rotate(k[:, :, :before], torch.arange(before))
    found = cached_scores(q[:, :, before:], k[:, :, before:], cached, rotate)
    torch.testing.assert_close(found, scores_of_all(q, k, rotate)[:, :, before:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rotate", ROTATIONS)
@given(length=st.integers(1, 12), share=st.floats(0, 1), seed=st.integers(0, 2**31))
def test_what_is_left_is_the_cache_of_the_later_tokens(rotate, length, share, seed):
    n = round(share * length)
    k = torch.randn(1, 2, length, 8, generator=torch.Generator().manual_seed(seed))
    found = drop_oldest(rotate(k, torch.arange(length)), n, rotate)
    torch.testing.assert_close(found, rotate(k[:, :, n:], torch.arange(length - n)), rtol=1e-5, atol=1e-5)


def test_bf16_stays_within_its_precision():
    q, k = torch.randn(2, 1, 2, 20, 16, generator=torch.Generator().manual_seed(0))
    rotate = ROTATIONS[0]
    exact = scores_of_all(q, k, rotate)[:, :, 12:]
    low_q, low_k = q.bfloat16(), k.bfloat16()
    found = cached_scores(low_q[:, :, 12:], low_k[:, :, 12:], rotate(low_k[:, :, :12], torch.arange(12)), rotate)
    assert found.dtype == torch.bfloat16
    # Inputs, rotated inputs and scores are rounded to 8 bits each: three times 2^-9 of the largest score, and a margin.
    assert (found.float() - exact).abs().max() < 0.02 * exact.abs().max()


@pytest.mark.parametrize("n", [-1, 4])
def test_more_than_there_is_cannot_be_dropped(n):
    message = re.escape(f"n is {n} and there are 3 keys: drop between none and all of them")
    with pytest.raises(ValueError, match=message):
        drop_oldest(torch.zeros(1, 1, 3, 4), n, ROTATIONS[0])
