import itertools
import math
import statistics

import pytest

from llmcourse.inference.arrival_trace import arrival_trace


def test_arrivals_are_a_poisson_process():
    times = [arrival.time_s for arrival in arrival_trace(4000, rate_per_s=20.0, seed=1)]
    gaps = [b - a for a, b in itertools.pairwise([0.0, *times])]
    assert min(gaps) > 0
    # Exponential gaps: mean and standard deviation are both 1/20, each known to about 1/sqrt(4000).
    assert statistics.mean(gaps) == pytest.approx(0.05, rel=0.06)
    assert statistics.stdev(gaps) == pytest.approx(0.05, rel=0.08)


@pytest.mark.parametrize("spread", [0.5, 1.0])
def test_lengths_are_log_normal_with_the_mean_that_was_asked_for(spread):
    trace = arrival_trace(
        4000, rate_per_s=1.0, prompt_tokens=300.0, new_tokens=200.0, spread=spread, max_tokens=10**6, seed=2
    )
    for lengths, mean in (([a.n_prompt for a in trace], 300), ([a.n_new for a in trace], 200)):
        assert statistics.mean(lengths) == pytest.approx(mean, rel=0.08)
        assert statistics.stdev(map(math.log, lengths)) == pytest.approx(spread, rel=0.05)


def test_no_length_is_out_of_bounds_and_none_differs_without_spread():
    trace = arrival_trace(500, rate_per_s=1.0, new_tokens=3.0, spread=2.0, max_tokens=50, seed=3)
    assert min(a.n_new for a in trace) == 1 and max(a.n_prompt for a in trace) == 50
    equal = arrival_trace(9, rate_per_s=1.0, prompt_tokens=7.0, new_tokens=5.0, spread=0.0, seed=3)
    assert {(a.n_prompt, a.n_new) for a in equal} == {(7, 5)}


def test_a_seed_repeats_it():
    one, same, other = (arrival_trace(20, rate_per_s=1.0, seed=seed) for seed in (5, 5, 6))
    assert one == same != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate_per_s": 0.0}, "rate_per_s is 0.0"),
        ({"new_tokens": -1.0}, "new_tokens is -1.0"),
        ({"spread": -0.1}, "spread is -0.1"),
    ],
)
def test_what_is_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        arrival_trace(3, **{"rate_per_s": 1.0, "seed": 0} | options)
