from collections import Counter
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import mix

SOURCES = {"books": ["b" * 50, "c" * 70, "d" * 10], "web": [letter * 5 for letter in "efghi"], "code": ["j" * 200]}
WEIGHTS = {"books": 3.0, "web": 1.0, "code": 0.5}


@settings(max_examples=40, deadline=None)
@given(weights=st.lists(st.floats(0.1, 10), min_size=3, max_size=3), n=st.integers(1, 400))
def test_at_every_moment_each_source_has_its_share_within_one_document(weights, n):
    weights = dict(zip(SOURCES, weights, strict=True))
    lengths = Counter()
    for drawn in islice(mix(SOURCES, weights), n):
        lengths[drawn.source] += len(drawn.document)
    whole = sum(lengths.values())
    for name, weight in weights.items():
        # Drawn only when it is behind, it is ahead by at most its longest document; behind by what others are ahead.
        assert lengths[name] - whole * weight / sum(weights.values()) <= max(map(len, SOURCES[name]))
        assert whole * weight / sum(weights.values()) - lengths[name] <= 270


def test_each_epoch_reads_each_document_once_and_epochs_are_counted():
    drawn = [one for one in islice(mix(SOURCES, WEIGHTS), 400) if one.source == "web"]
    for epoch in range(3):
        documents = [one.document for one in drawn if one.epoch == epoch]
        assert sorted(documents) == sorted(SOURCES["web"])
    orders = {tuple(one.document for one in drawn if one.epoch == epoch) for epoch in range(6)}
    assert len(orders) > 1


def test_it_is_the_same_at_every_run_whatever_the_order_of_the_sources():
    first = list(islice(mix(SOURCES, WEIGHTS, seed=3), 50))
    turned = dict(reversed(SOURCES.items()))
    assert list(islice(mix(turned, WEIGHTS, seed=3), 50)) == first
    assert list(islice(mix(SOURCES, WEIGHTS, seed=4), 50)) != first


def test_lengths_may_be_counted_otherwise():
    counted = Counter(one.source for one in islice(mix(SOURCES, WEIGHTS, length_of=lambda document: 1), 450))
    assert counted == {"books": 300, "web": 100, "code": 50}


def test_documents_of_no_length_do_not_hold_it_up():
    counted = Counter(one.source for one in islice(mix({"a": [""], "b": ["x"]}, {"a": 1, "b": 1}), 100))
    assert counted == {"a": 50, "b": 50}


@pytest.mark.parametrize(
    ("sources", "weights", "message"),
    [
        ({}, {}, r"sources are \[\]"),
        ({"a": ["x"]}, {"b": 1}, r"sources are \['a'\] and weights \['b'\]"),
        ({"a": ["x"]}, {"a": 0}, "the weight of 'a' is 0"),
        ({"a": []}, {"a": 1}, "source 'a' is empty"),
    ],
)
def test_bad_input_is_quoted(sources, weights, message):
    with pytest.raises(ValueError, match=message):
        next(mix(sources, weights))
