"""Signatures, against whole numbers of Python and the exact similarity of sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import minhash_signature
from llmcourse.pretraining.minhash import PRIME

NUMBERS = st.integers(0, PRIME - 1)


def int64(values: object) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@given(st.lists(NUMBERS, max_size=8), st.lists(st.tuples(st.integers(1, PRIME - 1), NUMBERS), min_size=1, max_size=5))
def test_entries_are_least_values(shingles: list[int], hashes: list[tuple[int, int]]) -> None:
    multipliers, offsets = zip(*hashes, strict=True)
    found = minhash_signature(int64(shingles), int64(multipliers), int64(offsets))
    assert found.tolist() == [min([(a * x + c) % PRIME for x in shingles], default=PRIME) for a, c in hashes]


@pytest.mark.parametrize("shared", [10, 50, 90])
def test_equal_entries_estimate_the_similarity(shared: int) -> None:
    """Within four standard deviations of the exact share, over 2000 hash functions."""
    generator = np.random.default_rng(0)
    multipliers, offsets = generator.integers(1, PRIME, 2000), generator.integers(0, PRIME, 2000)
    shingles = generator.integers(0, PRIME, 100)
    sides = shingles[: shared + (100 - shared) // 2], np.r_[shingles[:shared], shingles[shared + (100 - shared) // 2 :]]
    exact = len(set(sides[0]) & set(sides[1])) / len(set(sides[0]) | set(sides[1]))
    left, right = (minhash_signature(side, multipliers, offsets) for side in sides)
    assert abs(np.mean(left == right) - exact) < 4 * np.sqrt(exact * (1 - exact) / 2000)


def test_what_does_not_fit_is_refused() -> None:
    one, two = int64([1]), int64([1, 2])
    with pytest.raises(ValueError, match=r"\(1,\) multipliers and \(2,\) offsets"):
        minhash_signature(one, one, two)
    for shingle in (-1, PRIME):
        with pytest.raises(ValueError, match=f"shingles go from {shingle} to {shingle}"):
            minhash_signature(int64([shingle]), one, one)
