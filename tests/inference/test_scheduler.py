import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.inference import BlockTables, Request, SamplingParams, Scheduler


def make(request_id, n_prompt, n_new=4):
    stream = random.Random(request_id)
    return Request.make(
        request_id, [stream.randrange(9) for _ in range(n_prompt)], SamplingParams(max_new_tokens=n_new)
    )


def take_step(scheduler):
    """A step without a model: read, and draw a token where all was read."""
    plan = scheduler.plan()
    scheduler.tables.extend({request.sequence: n for request, n in plan.items()})
    for request, n in plan.items():
        request.n_read += n
        assert scheduler.tables.n_tokens(request.sequence) == request.n_read
        scheduler.tables.record(request.sequence, request.tokens)
        if not request.n_unread:
            request.add(0)
            if request.finish_reason:
                scheduler.remove(request)
    return {request.request_id: n for request, n in plan.items()}


@settings(max_examples=80, deadline=None)
@given(data=st.data(), arrivals=st.integers(0, 2**32))
def test_all_end_and_limits_hold_whatever_comes(data, arrivals):
    stream = random.Random(arrivals)
    n_blocks, block_size = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 4))
    batch = data.draw(st.integers(1, 4))
    limits = {"max_batch_size": batch, "max_step_tokens": data.draw(st.integers(batch, 9))}
    scheduler = Scheduler(BlockTables(n_blocks, block_size=block_size), **limits)
    room = n_blocks * block_size
    requests = []
    for i in range(data.draw(st.integers(1, 8))):
        n_prompt = data.draw(st.integers(1, room - 1))
        requests.append(make(i, n_prompt, data.draw(st.integers(1, room - n_prompt))))
    coming, n_steps = list(requests), 0
    while coming or scheduler.waiting or scheduler.running:
        for _ in range(stream.randrange(3)):
            if coming:
                scheduler.add(coming.pop(0))
        plan = take_step(scheduler)
        assert sum(plan.values()) <= limits["max_step_tokens"] and len(plan) <= batch
        assert plan or not (scheduler.waiting or scheduler.running)
        n_steps += 1
        assert n_steps < 3000
    assert all(request.finish_reason == "length" for request in requests)
    assert scheduler.tables.allocator.n_used == 0 and scheduler.tables.sequences == ()


def test_a_request_joins_while_others_write_and_leaves_at_once():
    scheduler = Scheduler(BlockTables(50), max_batch_size=2, max_step_tokens=8)
    for i, (n_prompt, n_new) in enumerate([(3, 2), (4, 5), (2, 1)]):
        scheduler.add(make(i, n_prompt, n_new))
    assert [take_step(scheduler) for _ in range(5)] == [{0: 3, 1: 4}, {0: 1, 1: 1}, {1: 1, 2: 2}, {1: 1}, {1: 1}]


def test_who_writes_is_not_held_up_by_a_long_prompt():
    scheduler = Scheduler(BlockTables(50), max_batch_size=4, max_step_tokens=10)
    scheduler.add(make(0, 2, 6))
    take_step(scheduler)
    scheduler.add(make(1, 20))
    assert [take_step(scheduler) for _ in range(3)] == [{0: 1, 1: 9}, {0: 1, 1: 9}, {0: 1, 1: 2}]


def test_the_last_to_come_gives_way_and_is_read_anew():
    scheduler = Scheduler(BlockTables(4, block_size=2), max_batch_size=4, max_step_tokens=8)
    old, new = make(0, 2, 6), make(1, 2, 6)
    scheduler.add(old)
    scheduler.add(new)
    steps = [take_step(scheduler) for _ in range(2)]
    assert steps == [{0: 2, 1: 2}, {0: 1, 1: 1}] and scheduler.tables.allocator.n_free == 0
    assert [take_step(scheduler) for _ in range(2)] == [{0: 1, 1: 1}, {0: 1}]
    assert (new.n_preempted, new.sequence, len(new.output), scheduler.n_preemptions) == (1, None, 3, 1)
    while not old.finish_reason:
        assert list(take_step(scheduler)) == [0]
    # What it had drawn is kept, and read again, but for what is still to be found in blocks.
    steps = take_step(scheduler)
    assert steps == {1: 5 - new.n_read + steps[1]} and len(new.output) == 4


def test_nobody_overtakes():
    scheduler = Scheduler(BlockTables(4, block_size=2), max_batch_size=4, max_step_tokens=8)
    for i, n_prompt in enumerate((4, 6, 1)):
        scheduler.add(make(i, n_prompt, 2))
    assert take_step(scheduler) == {0: 4}  # 1 does not fit, and 2, which would, waits behind it
    assert [request.request_id for request in scheduler.waiting] == [1, 2]


@given(st.lists(st.integers(1, 40), max_size=12))
def test_passes_are_the_plan_with_little_padding(lengths):
    plan = {make(i, 1): n for i, n in enumerate(lengths)}
    groups = Scheduler.passes(plan)
    assert {request: n for group in groups for request, n in group.items()} == plan
    assert sum(map(len, groups)) == len(plan)
    for group in groups:
        assert sum(group.values()) >= 0.8 * max(group.values()) * len(group)
    for before, after in itertools.pairwise(groups):  # and no more passes than that takes
        least = min(after.values())
        assert 4 * least * (len(before) + 1) > 5 * (sum(before.values()) + least)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="max_batch_size is 8 and max_step_tokens is 4"):
        Scheduler(BlockTables(4), max_batch_size=8, max_step_tokens=4)
