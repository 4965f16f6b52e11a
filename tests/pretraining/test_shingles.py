import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import jaccard, shingles_of
from llmcourse.pretraining.shingles import shingle_sets

WORDS = st.lists(st.sampled_from([f"w{n}" for n in range(12)]), max_size=40)


@settings(max_examples=80, deadline=None)
@given(one=WORDS, other=WORDS, n=st.integers(1, 4))
def test_hashes_count_and_compare_as_the_runs_themselves_do(one, other, n):
    runs = []
    for words in (one, other):
        size = min(n, len(words))
        runs.append({tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if words else set())
    found = [shingles_of(" ".join(words), n_words=n) for words in (one, other)]
    assert [len(hashes) for hashes in found] == [len(expected) for expected in runs]
    union = len(runs[0] | runs[1])
    assert jaccard(*found) == pytest.approx(len(runs[0] & runs[1]) / union if union else 0.0)


def test_order_of_words_matters_and_white_space_does_not():
    assert not np.array_equal(shingles_of("a b", n_words=2), shingles_of("b a", n_words=2))
    assert np.array_equal(shingles_of(" A\n\tb"), shingles_of("a b"))


def test_hashes_are_spread_evenly():
    found = shingles_of(" ".join(f"word{n}" for n in range(20_000)))
    assert len(found) > 19_980  # 20,000 in 2^32 places meet hardly ever
    assert abs(found.astype(np.float64).mean() / 2**31 - 1) < 0.02


def test_no_words_is_refused():
    with pytest.raises(ValueError, match="n_words is 0"):
        shingles_of("a", n_words=0)


@settings(max_examples=80, deadline=None)
@given(texts=st.lists(WORDS.map(" ".join), max_size=8), n=st.integers(1, 4))
def test_many_documents_at_once_give_what_each_gives_alone(texts, n):
    together = shingle_sets(texts, n_words=n)
    assert len(together) == len(texts)
    for text, found in zip(texts, together, strict=True):
        assert np.array_equal(found, shingles_of(text, n_words=n))
        assert np.array_equal(found, np.unique(found))


def test_batches_end_at_any_document():
    texts = [" ".join(f"w{n * k}" for n in range(3000 * (k % 3))) for k in range(1, 12)]
    for text, found in zip(texts, shingle_sets(texts), strict=True):
        assert np.array_equal(found, shingles_of(text))
