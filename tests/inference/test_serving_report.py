import numpy as np
import pytest

from llmcourse.inference import Arrival, ServedStep, replay


class Scripted:
    """A server whose steps are written down."""

    def __init__(self, steps):
        self.steps, self.submitted = list(steps), []

    @property
    def has_work(self):
        return bool(self.submitted)

    def submit(self, request, arrival):
        self.submitted.append(request)

    def step(self):
        step, done = self.steps.pop(0)
        self.submitted = [request for request in self.submitted if request not in done]
        return step


def step(seconds, tokens, n_rows, n_useful):
    return ServedStep(seconds=seconds, tokens=tokens, n_rows=n_rows, n_useful=n_useful, n_used_blocks=n_rows)


def test_times_are_those_of_a_clock_that_skips_what_is_idle():
    trace = [Arrival(time_s=time, n_prompt=1, n_new=2) for time in (1.0, 1.5, 10.0)]
    steps = [
        (step(1.0, [0], 1, 1), []),  # from 1 to 2
        (step(2.0, [0, 1], 2, 2), [0]),  # to 4
        (step(1.0, [1], 2, 1), [1]),  # to 5; then nothing until 10
        (step(0.5, [2], 1, 1), []),
        (step(0.5, [2], 1, 1), [2]),
    ]
    report = replay(trace, Scripted(steps), batch_size=2)
    assert report.token_times_s == [[2.0, 4.0], [4.0, 5.0], [10.5, 11.0]]
    assert report.time_to_first_token_s.tolist() == [1.0, 2.5, 0.5]
    assert report.time_per_output_token_s.tolist() == [2.0, 1.0, 0.5]
    assert report.tokens_per_s == 6 / (11.0 - 1.0)
    assert report.utilization == pytest.approx((1 * 0.5 + 2 * 1 + 1 * 0.5 + 1 * 0.5) / 5)
    arrays = report.over_time()
    assert arrays["time_s"].tolist() == [1.0, 2.0, 4.0, 10.0, 10.5]
    assert arrays["utilization"].tolist() == [0.5, 1.0, 0.5, 0.5, 0.5]
    assert arrays["computed"].tolist() == [0.5, 1.0, 1.0, 0.5, 0.5]
    np.testing.assert_array_equal(arrays["used_blocks"], [1, 2, 2, 1, 1])


def test_a_trace_out_of_order_is_refused():
    trace = [Arrival(time_s=time, n_prompt=1, n_new=2) for time in (2.0, 1.0)]
    for wrong in (trace, []):
        with pytest.raises(ValueError, match=f"the trace has {len(wrong)} requests: give at least one, in the order"):
            replay(wrong, Scripted([]), batch_size=1)
