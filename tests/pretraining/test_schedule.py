"""The learning rate: its corners, its shape against torch's, and its laws."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import cosine_schedule, wsd_schedule

SIZES = dict(max_lr=3e-3, min_lr=3e-4, warmup_steps=10, total_steps=100)


def test_its_corners() -> None:
    assert cosine_schedule(0, **SIZES) == 0.0
    assert cosine_schedule(10, **SIZES) == 3e-3
    assert cosine_schedule(100, **SIZES) == cosine_schedule(10_000, **SIZES) == 3e-4
    assert cosine_schedule(0, **SIZES | {"warmup_steps": 0}) == 3e-3
    assert cosine_schedule(100, **SIZES | {"warmup_steps": 100}) == 3e-3


def test_the_cosine_is_torchs() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=90, eta_min=3e-4)
    for step in range(10, 100):
        assert cosine_schedule(step, **SIZES) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


@given(warmup_steps=st.integers(0, 50), rest=st.integers(0, 50), min_lr=st.floats(0, 1))
def test_it_rises_and_then_falls_between_its_bounds(warmup_steps: int, rest: int, min_lr: float) -> None:
    total = warmup_steps + rest
    rates = [
        cosine_schedule(step, max_lr=1.0, min_lr=min_lr, warmup_steps=warmup_steps, total_steps=total)
        for step in range(total + 3)
    ]
    assert rates[: warmup_steps + 1] == sorted(rates[: warmup_steps + 1])
    assert rates[warmup_steps:] == sorted(rates[warmup_steps:], reverse=True)
    assert max(rates) == rates[warmup_steps] == 1.0
    assert min(rates[warmup_steps:]) >= min_lr


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(warmup_steps=101), "warmup_steps is 101 of total_steps 100"),
        (dict(min_lr=1.0), "min_lr is 1.0 and max_lr 0.003"),
        (dict(step=-1), "step is -1"),
    ],
)
def test_numbers_out_of_order_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cosine_schedule(**{"step": 0} | SIZES | wrong)


WSD = SIZES | dict(decay_steps=20)


def test_the_corners_of_warm_up_stable_decay() -> None:
    assert wsd_schedule(0, **WSD) == 0.0
    assert {wsd_schedule(step, **WSD) for step in range(10, 81)} == {3e-3}
    assert wsd_schedule(90, **WSD) == pytest.approx((3e-3 + 3e-4) / 2)
    assert wsd_schedule(100, **WSD) == wsd_schedule(10_000, **WSD) == 3e-4


def test_without_decay_the_last_step_is_level() -> None:
    assert wsd_schedule(100, **WSD | {"decay_steps": 0}) == 3e-3
    assert wsd_schedule(101, **WSD | {"decay_steps": 0}) == 3e-4


def test_its_pieces_are_torchs() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=3e-3)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=20)
    for step in range(80, 101):
        assert wsd_schedule(step, **WSD) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


@given(step=st.integers(0, 80), more=st.integers(0, 1000))
def test_until_the_decay_it_does_not_know_the_end(step: int, more: int) -> None:
    assert wsd_schedule(step, **WSD) == wsd_schedule(step, **WSD | {"total_steps": 100 + more})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(dict(decay_steps=91), "decay_steps is 91: after the warm-up there are 90"), (dict(step=-2), "step is -2")],
)
def test_a_decay_that_does_not_fit_is_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wsd_schedule(**{"step": 0} | WSD | wrong)


def test_without_a_decay_the_last_step_has_the_highest_rate():
    sizes = {"max_lr": 1.0, "min_lr": 0.1, "warmup_steps": 2, "decay_steps": 0, "total_steps": 10}
    assert [wsd_schedule(step, **sizes) for step in (9, 10, 11)] == [1.0, 1.0, 0.1]
