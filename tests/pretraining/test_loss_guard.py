import math

import pytest

from llmcourse.pretraining import LossGuard, TrainingStopped


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_what_is_no_number_stops_at_once(loss):
    with pytest.raises(TrainingStopped, match=f"the loss is {loss} at step 0: look at this step's batch"):
        LossGuard().look(0, loss)


def test_a_gradient_that_is_not_finite_stops_at_once():
    with pytest.raises(TrainingStopped, match="but the gradient nan at step 3"):
        LossGuard().look(3, 2.0, math.nan)


def test_a_spike_stops_after_patience_and_a_falling_loss_never():
    guard = LossGuard(window=10, spike_nats=1.0, patience=3)
    for step in range(100):
        guard.look(step, 8.0 - 0.05 * step)
    guard.look(100, 8.0)
    guard.look(101, 8.0)
    with pytest.raises(TrainingStopped, match=r"the loss is 8\.0000 at step 102, .* for 3 steps"):
        guard.look(102, 8.0)


def test_one_bad_batch_in_many_is_borne():
    guard = LossGuard(window=10, spike_nats=1.0, patience=2)
    for step in range(100):
        guard.look(step, 9.0 if step % 5 == 4 else 3.0)


def test_the_first_steps_are_no_spike():
    guard = LossGuard(window=10, patience=1)
    for step, loss in enumerate([2.0, 11.0, 2.0]):
        guard.look(step, loss)


def test_a_resumed_guard_judges_as_the_first_would_have():
    first, second = LossGuard(window=3, patience=2), LossGuard(window=3, patience=2)
    for step, loss in enumerate([3.0, 3.0, 3.0, 9.0]):
        first.look(step, loss)
    second.load_state_dict(first.state_dict())
    for guard in (first, second):
        with pytest.raises(TrainingStopped, match="for 2 steps"):
            guard.look(4, 9.0)


def test_bad_numbers_are_quoted():
    with pytest.raises(ValueError, match="window is 0"):
        LossGuard(window=0)
    with pytest.raises(ValueError, match="patience 0"):
        LossGuard(patience=0)
    with pytest.raises(ValueError, match="spike_nats 0"):
        LossGuard(spike_nats=0)
