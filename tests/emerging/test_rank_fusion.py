from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import mean_reciprocal_rank, recall_at_k, reciprocal_rank_fusion

RANKING = st.permutations(range(6))


@given(rankings=st.lists(RANKING, min_size=1, max_size=4), k=st.integers(0, 100))
def test_as_fractions_added_up(rankings, k):
    totals = {item: sum(Fraction(1, k + ranking.index(item) + 1) for ranking in rankings) for item in range(6)}
    found = [totals[item] for item in reciprocal_rank_fusion(rankings, k)]
    assert all(later <= earlier + Fraction(1, 10**12) for earlier, later in pairwise(found))


@given(ranking=RANKING)
def test_one_ranking_or_twice_the_same_stays_as_it_is(ranking):
    assert reciprocal_rank_fusion([ranking]) == ranking
    assert reciprocal_rank_fusion([ranking, ranking]) == ranking


def test_what_one_ranking_lacks():
    assert reciprocal_rank_fusion([[1, 2], [3, 2]]) == [2, 1, 3]
    assert reciprocal_rank_fusion([[], [4]]) == [4]


def test_measures():
    rankings, relevant = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0]], [2, 3, 7]
    assert [recall_at_k(rankings, relevant, k) for k in (1, 2, 3, 9)] == [1 / 3, 1 / 3, 2 / 3, 2 / 3]
    assert mean_reciprocal_rank(rankings, relevant) == pytest.approx((1 / 3 + 1) / 3)


def test_refuses():
    with pytest.raises(ValueError, match="k is -1"):
        reciprocal_rank_fusion([[1]], k=-1)
    with pytest.raises(ValueError, match="3 holds 2 different"):
        reciprocal_rank_fusion([[1, 2, 1]])
    with pytest.raises(ValueError, match="k is 0"):
        recall_at_k([[1]], [1], 0)
    with pytest.raises(ValueError, match="2 rankings, 1 right answers"):
        mean_reciprocal_rank([[1], [2]], [1])
    with pytest.raises(ValueError, match="0 rankings"):
        mean_reciprocal_rank([], [])
