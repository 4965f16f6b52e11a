"""Loss scaling: torch's GradScaler does the same, and FP16 gradients vanish without it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.pretraining import LossScaler

torch.set_num_threads(1)
OPTIONS = {"growth_factor": 4.0, "backoff_factor": 0.25, "growth_interval": 3}


@given(finite=st.lists(st.booleans(), max_size=20))
def test_its_factor_and_what_it_skips_are_torchs(finite: list[bool]) -> None:
    ours, theirs = LossScaler(scale=64.0, **OPTIONS), torch.amp.GradScaler("cpu", init_scale=64.0, **OPTIONS)
    one, other = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizers = torch.optim.SGD([one], lr=0.1), torch.optim.SGD([other], lr=0.1)
    for good in finite:
        assert ours.scale == theirs.get_scale()
        slope = torch.tensor([1.0, 2.0 if good else float("inf")])
        for optimizer in optimizers:
            optimizer.zero_grad()
        ((one * slope).sum() * ours.scale).backward()
        theirs.scale((other * slope).sum()).backward()
        if ours.unscale([one]):
            optimizers[0].step()
        theirs.step(optimizers[1])
        theirs.update()
        assert torch.equal(one, other)
    assert ours.scale == theirs.get_scale()


def test_a_gradient_too_small_for_fp16_is_lost_without_it_and_right_with_it() -> None:
    small = 1e-8  # half of FP16's least number and less rounds to 0
    weight = torch.nn.Parameter(torch.ones(3))
    scaler = LossScaler()
    for scale, expected in ((1.0, 0.0), (scaler.scale, small)):
        weight.grad = None
        # The last operation backwards is the cast of an FP16 gradient to the fp32 of the master weight.
        loss = (weight.half() * torch.tensor(small * scale, dtype=torch.float16)).float().sum()
        loss.backward()
        if scale != 1.0:
            assert scaler.unscale([weight])
        torch.testing.assert_close(weight.grad, torch.full((3,), expected), rtol=1e-3, atol=0.0)


def test_it_goes_on_where_it_was() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    first, second = LossScaler(scale=8.0, **OPTIONS), LossScaler(scale=1.0, **OPTIONS)
    weight.grad = torch.ones(1)
    assert first.unscale([weight]) and first.unscale([weight])
    second.load_state_dict(first.state_dict())
    assert second.scale == 8.0
    assert second.unscale([weight]) and second.scale == 32.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scale": 0.0}, r"scale is 0\.0"),
        ({"growth_factor": 1.0}, r"growth_factor is 1\.0 and backoff_factor 0\.5"),
        ({"backoff_factor": 1.5}, r"growth_factor is 2\.0 and backoff_factor 1\.5"),
        ({"growth_interval": 0}, "growth_interval is 0"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LossScaler(**wrong)
