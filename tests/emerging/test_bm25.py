import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import BM25, bm25_scores, inverse_document_frequency, split_words

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=8)


def test_a_small_case_worked_out_by_hand():
    documents = [["a", "b", "a", "c"], ["b", "d"], ["b", "b", "b"]]  # 3 words in the mean
    idf_a, idf_b = math.log(1 + 2.5 / 1.5), math.log(1 + 0.5 / 3.5)
    first = idf_a * 2 * 3 / (2 + 2 * (0.5 + 0.5 * 4 / 3)) + idf_b * 1 * 3 / (1 + 2 * (0.5 + 0.5 * 4 / 3))
    second = idf_b * 1 * 3 / (1 + 2 * (0.5 + 0.5 * 2 / 3))
    third = idf_b * 3 * 3 / (3 + 2 * 1)
    assert bm25_scores(["a", "b"], documents, k1=2.0, b=0.5) == pytest.approx([first, second, third], rel=1e-12)


@given(query=WORDS, documents=st.lists(WORDS, min_size=1, max_size=6), k1=st.floats(0, 3), b=st.floats(0, 1))
def test_the_index_gives_what_the_loop_gives(query, documents, k1, b):
    found = BM25([" ".join(document) for document in documents], k1=k1, b=b).scores(" ".join(query))
    expected = torch.tensor(bm25_scores(query, documents, k1, b))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_as_a_sum_over_a_matrix_of_counts():
    """Against scikit-learn's counts and the formula in numpy, which share no code with ours."""
    text = pytest.importorskip("sklearn.feature_extraction.text")
    documents = ["keys and values and keys", "the cache keeps keys", "values", "a long text of words about the cache"]
    counter = text.CountVectorizer(token_pattern=r"\w+")
    counts = counter.fit_transform(documents).toarray()
    n = (counts > 0).sum(0)
    idf = torch.tensor(len(documents) - n + 0.5).div(torch.tensor(n + 0.5)).log1p()
    length = torch.tensor(counts.sum(1, keepdims=True)).double()
    f = torch.tensor(counts).double()
    weights = idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length / length.mean()))
    query = torch.tensor(counter.transform(["keys of the cache keys"]).toarray()[0]).double()
    torch.testing.assert_close(BM25(documents).scores("keys of the cache keys"), (weights @ query).float())


def test_an_empty_document_scores_nothing():
    assert BM25(["", "keys"]).rank("keys") == [1, 0]
    assert BM25(["", ""]).scores("keys").tolist() == [0.0, 0.0]
    assert bm25_scores(["keys"], [[], []]) == [0.0, 0.0]


def test_a_word_in_every_document_never_counts_against_one():
    assert inverse_document_frequency(9, 9) > 0
    assert BM25(["the keys", "the the", "optimizer of the"]).scores("the").min() > 0


def test_constants():
    documents = [["a", "b"], ["a", "a", "a", "b", "b", "b"]]
    once, often = bm25_scores(["a"], documents, k1=0)
    assert once == often  # how often does not count
    short, long = bm25_scores(["a"], [["a"], ["a", "b", "b", "b"]], b=0)
    assert short == long  # length does not count
    short, long = bm25_scores(["a"], [["a"], ["a", "b", "b", "b"]], b=1)
    assert short > long


def test_words():
    assert split_words("") == []
    assert split_words("Größe 3.5-mal, x_1") == ["größe", "3.5", "mal", "x_1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "there are 0 documents"),
        ((["a"], {"k1": -1}), "k1 is -1"),
        ((["a"], {"b": 1.5}), "b is 1.5"),
        ((["a"], {"k1": math.nan}), "k1 is nan"),
    ],
)
def test_refuses(arguments, message):
    documents, options = arguments[0], arguments[1] if len(arguments) > 1 else {}
    with pytest.raises(ValueError, match=message):
        BM25(documents, **options)
    with pytest.raises(ValueError, match=message):
        bm25_scores(["a"], [document.split() for document in documents], **options)


def test_refuses_more_documents_than_there_are():
    with pytest.raises(ValueError, match="5 of 4 documents"):
        inverse_document_frequency(5, 4)
