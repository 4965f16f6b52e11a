"""One step of AdamW, against torch's optimizer."""

import pytest
import torch

from llmcourse.pretraining import adamw_step


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
