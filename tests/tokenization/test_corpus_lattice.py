"""The arrays of all words equal the readable lattice of one word."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.tokenization.corpus_lattice import CorpusLattice
from llmcourse.tokenization.lattice import Lattice, prefix_table

WORDS = st.dictionaries(st.text("abc", min_size=1, max_size=9), st.integers(1, 50), min_size=1, max_size=8)
LONGER = st.dictionaries(st.text("abc", min_size=2, max_size=4), st.floats(-6, -0.5), max_size=10)
CHARACTERS = {"a": -1.3, "b": -2.1, "c": -3.4}


def arrays(words: dict[str, int], longer: dict[str, float]):
    texts = sorted(words, key=len, reverse=True)
    scores = CHARACTERS | longer
    lattice = CorpusLattice.build(texts, list(scores))
    return texts, scores, lattice, np.array(list(scores.values())), np.array([float(words[text]) for text in texts])


@given(WORDS, LONGER)
def test_expected_counts_and_likelihood(words: dict[str, int], longer: dict[str, float]) -> None:
    texts, scores, lattice, values, frequencies = arrays(words, longer)
    expected, total = Counter(), 0.0
    for text in texts:
        single = Lattice(text, prefix_table(scores), -99.0)
        total += words[text] * single.forward()[-1]
        for piece, count in single.expected_counts().items():
            expected[piece] += words[text] * count
    counts, log_likelihood = lattice.expected_counts(values, frequencies)
    assert counts == pytest.approx([expected[piece] for piece in scores], rel=1e-9, abs=1e-9)
    assert log_likelihood == pytest.approx(total)


@given(WORDS, LONGER)
def test_best_paths(words: dict[str, int], longer: dict[str, float]) -> None:
    texts, scores, lattice, values, _ = arrays(words, longer)
    owners, used, best = lattice.best_paths(values)
    for number, text in enumerate(texts):
        assert best[number] == pytest.approx(Lattice(text, prefix_table(scores), -99.0).viterbi()[1])
        pieces = [list(scores)[i] for i in used[owners == number]][::-1]
        assert "".join(pieces) == text
        assert sum(scores[piece] for piece in pieces) == pytest.approx(best[number])


@given(WORDS, LONGER, st.data())
def test_restricting_equals_building_with_fewer_pieces(words, longer, data) -> None:
    texts, scores, lattice, _, frequencies = arrays(words, longer)
    kept = np.array([len(piece) == 1 or data.draw(st.booleans()) for piece in scores])
    fewer = [piece for piece, stays in zip(scores, kept, strict=True) if stays]
    values = np.array([scores[piece] for piece in fewer])
    ours = lattice.restrict(kept).expected_counts(values, frequencies)
    theirs = CorpusLattice.build(texts, fewer).expected_counts(values, frequencies)
    assert ours[0] == pytest.approx(theirs[0])
    assert ours[1] == pytest.approx(theirs[1])


def test_without_whole_words_cuts_each_word() -> None:
    lattice = CorpusLattice.build(["abc", "ab"], ["a", "b", "c", "ab", "abc"]).without_whole_words()
    owners, used, best = lattice.best_paths(np.array([-1.0, -1.0, -1.0, -0.5, -0.5]))
    assert best.tolist() == [-1.5, -2.0]
    assert sorted(used[owners == 0].tolist()) == [2, 3]
    assert sorted(used[owners == 1].tolist()) == [0, 1]
