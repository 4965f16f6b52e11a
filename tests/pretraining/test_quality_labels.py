import random
from collections import Counter

import pytest

from llmcourse.pretraining import quality_labels
from llmcourse.pretraining.quality_labels import boilerplate_page, word_salad


def test_the_same_at_every_call_and_other_for_another_seed():
    assert quality_labels(20) == quality_labels(20)
    assert quality_labels(20).texts != quality_labels(20, seed=1).texts


def test_nothing_that_is_learned_from_is_judged_by():
    learned, judged = quality_labels(600), quality_labels(200, held_out=True)
    assert not set(learned.texts) & set(judged.texts)
    lines = [{line for text in part.texts[1::4] for line in text.split("\n")} for part in (learned, judged)]
    shared = {line for line in lines[0] & lines[1] if not line.startswith(("Posted on", "Cheap", "Best", "Top", "Buy"))}
    assert not shared


def test_half_is_good_and_passages_are_of_one_size():
    texts, good = quality_labels(50)
    assert sum(good) == 50 == len(texts) / 2
    assert all(len(text.split()) >= 100 for text in texts[::2])


def test_a_salad_has_the_words_and_their_frequencies():
    words = ["the"] * 90 + ["rare"] * 10
    counts = Counter(word_salad(random.Random(0), words, n_words=5000).split())
    assert counts["the"] / 5000 == pytest.approx(0.9, abs=0.02)


def test_a_page_has_so_many_lines():
    assert len(boilerplate_page(random.Random(0), n_lines=9).split("\n")) == 9


def test_more_than_there_are_is_refused_with_how_many_there_are():
    with pytest.raises(ValueError, match=r"n_each is 100000: it is from 1 to \d+"):
        quality_labels(100_000)
    with pytest.raises(ValueError, match="n_each is 0"):
        quality_labels(0)
