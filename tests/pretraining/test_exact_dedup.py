import pytest

from llmcourse.pretraining import exact_dedup, line_dedup


def test_each_document_once_in_order():
    assert list(exact_dedup(["b", "a", " b ", "a\n", "c"])) == ["b", "a", "c"]
    assert list(exact_dedup([])) == []


def test_texts_that_differ_in_case_differ():
    assert list(exact_dedup(["A", "a"])) == ["A", "a"]


def test_lines_that_came_before_go_and_short_ones_stay():
    documents = ["one two three\n}\nmine is this", "one  two three\n}\nyours is that", "one two three"]
    assert list(line_dedup(documents)) == ["one two three\n}\nmine is this", "}\nyours is that"]
    assert list(line_dedup(["a b", "a b"])) == ["a b", "a b"]
    assert list(line_dedup(["a b", "a b"], min_words=2)) == ["a b"]


def test_no_words_is_refused():
    with pytest.raises(ValueError, match="min_words is 0"):
        list(line_dedup([], min_words=0))
