"""The S-curve of bands, against an enumeration of every pattern of equal entries."""

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import band_probability


@pytest.mark.parametrize(("n_bands", "rows"), [(1, 1), (2, 3), (3, 2), (4, 2), (1, 5)])
@pytest.mark.parametrize("similarity", [0.0, 0.3, 0.8, 1.0])
def test_curve_is_the_sum_over_all_patterns(similarity: float, n_bands: int, rows: int) -> None:
    expected = 0.0
    for equal in product([False, True], repeat=n_bands * rows):
        if any(all(equal[start : start + rows]) for start in range(0, n_bands * rows, rows)):
            expected += prod(similarity if entry else 1 - similarity for entry in equal)
    assert band_probability(similarity, n_bands=n_bands, rows_per_band=rows) == pytest.approx(expected, rel=1e-9)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 30), st.integers(1, 10))
def test_more_alike_is_more_likely(one: float, other: float, n_bands: int, rows: int) -> None:
    low, high = (band_probability(s, n_bands=n_bands, rows_per_band=rows) for s in sorted((one, other)))
    assert 0 <= low <= high + 1e-12 <= 1 + 2e-12


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"similarity is 1\.5"):
        band_probability(1.5, n_bands=2, rows_per_band=2)
    with pytest.raises(ValueError, match="0 bands of 2 rows"):
        band_probability(0.5, n_bands=0, rows_per_band=2)
