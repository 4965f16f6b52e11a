import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.inference import Arrival, SimulatedContinuousBatching, SimulatedStaticBatching, StepCost, replay
from llmcourse.inference.arrival_trace import arrival_trace

COST = StepCost(step_s=0.01, token_s=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_continuous_batching_at_least_doubles_the_throughput_of_a_skewed_trace(seed):
    trace = arrival_trace(300, rate_per_s=50.0, seed=seed)
    static = replay(trace, SimulatedStaticBatching(COST, batch_size=16), batch_size=16)
    continuous = replay(trace, SimulatedContinuousBatching(COST, batch_size=16), batch_size=16)
    assert continuous.tokens_per_s > 2 * static.tokens_per_s
    assert continuous.time_to_first_token_s.mean() < static.time_to_first_token_s.mean()
    assert continuous.utilization > 0.8 > 0.5 > static.utilization


def test_with_equal_lengths_there_is_little_to_gain():
    trace = arrival_trace(320, rate_per_s=1000.0, spread=0.0, seed=0)
    static = replay(trace, SimulatedStaticBatching(COST, batch_size=16), batch_size=16)
    continuous = replay(trace, SimulatedContinuousBatching(COST, batch_size=16), batch_size=16)
    assert continuous.tokens_per_s < 1.1 * static.tokens_per_s


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 20)), min_size=1, max_size=12),
    gap=st.floats(0, 0.2),
    batch_size=st.integers(1, 5),
)
def test_each_request_gets_all_its_tokens(lengths, gap, batch_size):
    trace = [Arrival(time_s=i * gap, n_prompt=n, n_new=new) for i, (n, new) in enumerate(lengths)]
    for server in (
        SimulatedStaticBatching(COST, batch_size=batch_size),
        SimulatedContinuousBatching(COST, batch_size=batch_size, n_blocks=8, block_size=8),  # some have to give way
    ):
        report = replay(trace, server, batch_size=batch_size)
        assert [len(times) for times in report.token_times_s] == [new for _, new in lengths]
        for times, arrival in zip(report.token_times_s, trace, strict=True):
            assert times == sorted(times) and times[0] > arrival.time_s
        assert 0 < report.utilization <= 1 and report.over_time()["computed"].max() <= 1


def test_a_static_batch_by_hand():
    trace = [Arrival(time_s=0.0, n_prompt=n, n_new=new) for n, new in ((4, 1), (2, 3), (5, 1))]
    cost = StepCost(step_s=1.0, token_s=0.5)
    report = replay(trace, SimulatedStaticBatching(cost, batch_size=2), batch_size=2)
    # Two rows of four tokens (padded), two steps of two rows of which one is done, then the third request alone.
    assert [step.seconds for step in report.steps] == [5.0, 2.0, 2.0, 3.5]
    assert report.token_times_s == [[5.0], [5.0, 7.0, 9.0], [12.5]]
    assert [step.n_useful for step in report.steps] == [2, 1, 1, 1]
