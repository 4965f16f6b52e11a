"""Schedules of a pipeline: complete, free of deadlock, with the bubble and the memory that the papers give."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining.parallelism import bubble_fraction
from llmcourse.pretraining.parallelism.pipeline_schedule import (
    Action,
    kept_activations,
    pipeline_actions,
    pipeline_timeline,
)

SIZES = {"n_stages": st.integers(1, 7), "n_microbatches": st.integers(1, 12)}


@given(schedule=st.sampled_from(["gpipe", "1f1b"]), **SIZES)
def test_each_stage_does_all_and_backward_in_order(schedule, n_stages, n_microbatches):
    for actions in pipeline_actions(schedule, n_stages, n_microbatches):
        for kind in ("forward", "backward"):
            assert [i for k, i in actions if k == kind] == list(range(n_microbatches))
        assert all(
            actions.index(Action("forward", i)) < actions.index(Action("backward", i)) for i in range(n_microbatches)
        )


@given(schedule=st.sampled_from(["gpipe", "1f1b"]), backward_time=st.sampled_from([1.0, 2.0, 3.0]), **SIZES)
def test_the_bubble_is_the_closed_form(schedule, backward_time, n_stages, n_microbatches):
    actions = pipeline_actions(schedule, n_stages, n_microbatches)
    slots = pipeline_timeline(actions, backward_time=backward_time)
    whole, busy = max(slot.end for slot in slots), n_microbatches * (1 + backward_time)
    assert 1 - busy / whole == pytest.approx(bubble_fraction(n_stages, n_microbatches), abs=1e-12)


@given(schedule=st.sampled_from(["gpipe", "1f1b"]), **SIZES)
def test_no_stage_does_two_things_at_once_and_none_runs_before_its_input(schedule, n_stages, n_microbatches):
    slots = pipeline_timeline(pipeline_actions(schedule, n_stages, n_microbatches))
    ends = {(slot.stage, slot.action): slot.end for slot in slots}
    for stage in range(n_stages):
        own = [slot for slot in slots if slot.stage == stage]
        assert all(a.end <= b.start for a, b in pairwise(own))
    for slot in slots:
        neighbour = slot.stage + (-1 if slot.action.kind == "forward" else 1)
        if 0 <= neighbour < n_stages:
            assert ends[neighbour, slot.action] <= slot.start


@given(**SIZES)
def test_how_many_activations_are_kept(n_stages, n_microbatches):
    gpipe = pipeline_actions("gpipe", n_stages, n_microbatches)
    assert [kept_activations(stage) for stage in gpipe] == [n_microbatches] * n_stages
    one = pipeline_actions("1f1b", n_stages, n_microbatches)
    expected = [min(n_stages - stage, n_microbatches) for stage in range(n_stages)]
    assert [kept_activations(stage) for stage in one] == expected


def test_stages_that_wait_for_each_other_are_found():
    backward_first = [[Action("backward", 0), Action("forward", 0)], [Action("forward", 0), Action("backward", 0)]]
    with pytest.raises(ValueError, match="no stage can go on: they wait with"):
        pipeline_timeline(backward_first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("zero bubble", 2, 2), "schedule is 'zero bubble': choose 'gpipe' or '1f1b'"),
        (("1f1b", 0, 2), "n_stages is 0 and n_microbatches 2: both are at least 1"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        pipeline_actions(*arguments)
