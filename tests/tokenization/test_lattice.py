"""The lattice of one string: every sum and maximum against enumeration of all segmentations."""

import math
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.tokenization.lattice import Lattice, prefix_table

SCORES = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.floats(-8, -0.1), max_size=12)
WORDS = st.text("abcd", max_size=8)  # "d" is never a piece
UNKNOWN = -20.0


def enumerate_by_cuts(word: str, scores: dict[str, float]) -> dict[tuple[str, ...], float]:
    """All segmentations by choosing cuts, with no lattice: the oracle."""
    found = {}
    for n_cuts in range(len(word)):
        for cuts in combinations(range(1, len(word)), n_cuts):
            bounds = [0, *cuts, len(word)]
            pieces = tuple(word[i:j] for i, j in pairwise(bounds))
            if all(piece in scores or len(piece) == 1 for piece in pieces):
                found[pieces] = sum(scores.get(piece, UNKNOWN) for piece in pieces)
    return found or {(): 0.0}


@given(WORDS, SCORES)
def test_the_lattice_holds_exactly_the_segmentations(word: str, scores: dict[str, float]) -> None:
    found = list(Lattice(word, prefix_table(scores), UNKNOWN).segmentations())
    assert {tuple(pieces): pytest.approx(score) for pieces, score in found} == enumerate_by_cuts(word, scores)
    assert len(found) == len(enumerate_by_cuts(word, scores))


@given(WORDS, SCORES)
def test_viterbi_is_the_best_of_all(word: str, scores: dict[str, float]) -> None:
    pieces, score = Lattice(word, prefix_table(scores), UNKNOWN).viterbi()
    every = enumerate_by_cuts(word, scores)
    assert score == pytest.approx(max(every.values()))
    assert every[tuple(pieces)] == pytest.approx(score)


@given(WORDS, SCORES, st.floats(0, 3))
def test_forward_is_the_sum_over_all(word: str, scores: dict[str, float], alpha: float) -> None:
    total = math.log(sum(math.exp(alpha * score) for score in enumerate_by_cuts(word, scores).values()))
    assert Lattice(word, prefix_table(scores), UNKNOWN).forward(alpha)[-1] == pytest.approx(total, abs=1e-9)


@given(WORDS, SCORES)
def test_forward_and_backward_meet(word: str, scores: dict[str, float]) -> None:
    lattice = Lattice(word, prefix_table(scores), UNKNOWN)
    assert lattice.backward()[0] == pytest.approx(lattice.forward()[-1], abs=1e-9)


@given(WORDS, SCORES)
def test_expected_counts_are_posterior_means(word: str, scores: dict[str, float]) -> None:
    every = enumerate_by_cuts(word, scores)
    total = sum(math.exp(score) for score in every.values())
    expected: Counter[str] = Counter()
    for pieces, score in every.items():
        for piece in pieces:
            expected[piece] += math.exp(score) / total
    assert Lattice(word, prefix_table(scores), UNKNOWN).expected_counts() == pytest.approx(dict(expected), abs=1e-9)


@given(WORDS, SCORES, st.integers(1, 12))
def test_nbest_are_the_best_in_order(word: str, scores: dict[str, float], n: int) -> None:
    lattice = Lattice(word, prefix_table(scores), UNKNOWN)
    found = lattice.nbest(n)
    every = enumerate_by_cuts(word, scores)
    assert [score for _, score in found] == pytest.approx(sorted(every.values(), reverse=True)[:n])
    assert len({tuple(pieces) for pieces, _ in found}) == len(found)
    assert found[0][0] == lattice.viterbi()[0]


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0, 2.0])
def test_samples_follow_the_exact_distribution(alpha: float) -> None:
    scores = {"a": -1.5, "b": -1.2, "ab": -2.0, "ba": -2.4, "aba": -3.1}
    every = enumerate_by_cuts("ababa", scores)
    assert len(every) >= 10
    lattice, rng, draws = Lattice("ababa", prefix_table(scores), UNKNOWN), np.random.default_rng(0), 20_000
    seen = Counter(tuple(lattice.sample(rng, alpha)) for _ in range(draws))
    total = sum(math.exp(alpha * score) for score in every.values())
    expected = {pieces: draws * math.exp(alpha * score) / total for pieces, score in every.items()}
    chi_squared = sum((seen[pieces] - count) ** 2 / count for pieces, count in expected.items())
    # Mean k and variance 2k for k = len - 1 degrees of freedom; the seed is fixed, and 4 deviations are not chance.
    freedom = len(expected) - 1
    assert min(expected.values()) > 5
    assert chi_squared < freedom + 4 * math.sqrt(2 * freedom)


def test_a_large_alpha_gives_the_best() -> None:
    lattice = Lattice("ababa", prefix_table({"a": -1.5, "b": -1.2, "ab": -2.0}), UNKNOWN)
    assert lattice.sample(np.random.default_rng(0), 1e4) == lattice.viterbi()[0]


def test_a_tie_goes_to_the_longest_last_piece() -> None:
    assert Lattice("abc", prefix_table({"a": -1, "ab": -1, "bc": -1, "c": -1}), UNKNOWN).viterbi()[0] == ["a", "bc"]


def test_a_long_word_does_not_underflow() -> None:
    lattice = Lattice("a" * 5000, prefix_table({"a": -3.0, "aa": -5.0}), UNKNOWN)
    assert math.isfinite(lattice.forward()[-1])
    assert sum(lattice.expected_counts().values()) > 2500
