"""Limits of a submission: which mapping wins, and what is refused."""

import pytest

from llmcourse.grading.limits import SubmissionLimits


def test_a_later_mapping_wins():
    found = SubmissionLimits.of({"cell_s": 1, "total_s": 9}, {"cell_s": 2})
    assert (found.cell_s, found.total_s) == (2, 9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cell_s": 0}, "cell_s=0"),
        ({"cell_s": "3"}, "cell_s='3'"),
        ({"total_s": float("nan")}, "wall_s=nan"),
        ({"memory_bytes": 1}, "memory_bytes=1"),
        ({"processes": "9"}, "processes='9'"),
        ({"output_bytes": True}, "output_bytes=True"),
        ({"cells": 1}, "'cells' is no limit; there are: cell_s"),
    ],
)
def test_no_limit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        SubmissionLimits.of(given)


def test_what_was_hit_is_told_in_words():
    limits = SubmissionLimits(total_s=5, memory_bytes=10**8)
    assert limits.describe("wall") == "the notebook ran longer than 5 s in all"
    assert limits.describe("memory") == "the notebook used more than 100 MB of memory"
    assert limits.describe("") == ""
