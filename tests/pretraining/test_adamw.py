"""AdamW, a step of one tensor and the optimizer, against torch's."""

import pytest
import torch

from llmcourse.pretraining import AdamW, adamw_step


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_a_hundred_steps_are_those_of_torch(weight_decay: float) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(5, 3, generator=generator)
    expected = torch.nn.Parameter(weights.clone())
    options = {"lr": 0.01, "betas": (0.9, 0.95), "eps": 1e-6, "weight_decay": weight_decay}
    optimizer = torch.optim.AdamW([expected], **options)
    m, v = torch.zeros(5, 3), torch.zeros(5, 3)
    for step in range(1, 101):
        gradient = torch.randn(5, 3, generator=generator)
        expected.grad = gradient.clone()
        optimizer.step()
        adamw_step(weights, gradient, m, v, step, **options)
    torch.testing.assert_close(weights, expected.detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(m, optimizer.state[expected]["exp_avg"], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(v, optimizer.state[expected]["exp_avg_sq"], rtol=1e-6, atol=1e-6)


def test_defaults_are_those_of_torch() -> None:
    weights, expected = torch.ones(3), torch.nn.Parameter(torch.ones(3))
    expected.grad = torch.tensor([1.0, -2.0, 1e-8])
    torch.optim.AdamW([expected], lr=0.1).step()
    adamw_step(weights, expected.grad, torch.zeros(3), torch.zeros(3), 1, lr=0.1)
    torch.testing.assert_close(weights, expected.detach(), rtol=1e-6, atol=1e-6)


def test_a_parameter_that_records_gradients_is_changed() -> None:
    parameter = torch.nn.Parameter(torch.ones(1))
    adamw_step(parameter, torch.ones(1), torch.zeros(1), torch.zeros(1), 1, lr=0.1, weight_decay=0.0)
    assert parameter.item() == pytest.approx(0.9)


def test_steps_count_from_one() -> None:
    with pytest.raises(ValueError, match="step is 0: steps count from 1"):
        adamw_step(torch.ones(1), torch.ones(1), torch.zeros(1), torch.zeros(1), 0, lr=0.1)


def model_of() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3), torch.nn.Linear(3, 3))


def test_the_optimizer_is_torchs_over_a_hundred_steps() -> None:
    ours, theirs = model_of(), model_of()
    options = {"lr": 0.01, "betas": (0.9, 0.95)}
    optimizers = [
        kind(
            [
                {"params": [p for p in model.parameters() if p.ndim == 2], "weight_decay": 0.1},
                {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
            ],
            **options,
        )
        for kind, model in ((AdamW, ours), (torch.optim.AdamW, theirs))
    ]
    generator = torch.Generator().manual_seed(1)
    for step in range(100):
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        if step % 3 == 0:  # the last layer was not used: it neither moves nor counts the step
            ours[3].zero_grad()
            theirs[3].zero_grad()
        for optimizer in optimizers:
            optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_the_optimizer_is_the_step_of_one_tensor() -> None:
    parameter, weights = torch.nn.Parameter(torch.ones(3)), torch.ones(3)
    m, v = torch.zeros(3), torch.zeros(3)
    optimizer = AdamW([parameter], lr=0.1)
    for step in (1, 2, 3):
        parameter.grad = torch.tensor([1.0, -2.0, 0.5]) * step
        optimizer.step()
        adamw_step(weights, parameter.grad, m, v, step, lr=0.1)
    torch.testing.assert_close(parameter.detach(), weights, rtol=1e-6, atol=1e-7)


def test_it_goes_on_from_its_stored_state() -> None:
    whole, halves = model_of(), model_of()
    loss = lambda model: model(torch.ones(2, 4)).square().mean()  # noqa: E731
    optimizer = AdamW(whole.parameters(), lr=0.01)
    for _ in range(6):
        optimizer.zero_grad()
        optimizer.step(lambda: loss(whole).backward())
    optimizer = AdamW(halves.parameters(), lr=0.01)
    for step in range(6):
        if step == 3:
            state = optimizer.state_dict()
            optimizer = AdamW(halves.parameters(), lr=1.0)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        loss(halves).backward()
        optimizer.step()
    for one, other in zip(whole.parameters(), halves.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": -1.0}, r"lr is -1\.0"),
        ({"betas": (0.9, 1.0)}, r"betas are \(0\.9, 1\.0\)"),
        ({"weight_decay": float("nan")}, "weight_decay is nan"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdamW([torch.nn.Parameter(torch.ones(1))], **wrong)
