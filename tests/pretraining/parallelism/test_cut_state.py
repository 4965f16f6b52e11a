"""Parts of a model's state are put together and cut again, and clipping sees the whole."""

import pytest
import torch
from torch import nn

from llmcourse.pretraining import clip_grad_norm
from llmcourse.pretraining.parallelism import clip_cut_gradients, cut_optimizer_state, whole_optimizer_state


def trained(width: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(width, 3)
    groups = [{"params": [model.weight]}, {"params": [model.bias], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.1)
    model(torch.ones(2, width)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def test_a_state_that_was_cut_is_whole_again():
    model, optimizer = trained(4)
    before = optimizer.state_dict()
    half, its_optimizer = trained(2)
    cut_optimizer_state(half, its_optimizer, before, lambda name, whole: whole[:, 2:] if name == "weight" else whole)
    part = its_optimizer.state[half.weight]["exp_avg"]
    assert torch.equal(part, optimizer.state[model.weight]["exp_avg"][:, 2:])
    rest = before["state"][0]

    def gather(name, mine):
        if name == "bias":
            return mine
        key = next(key for key in ("exp_avg", "exp_avg_sq") if torch.equal(rest[key][:, 2:], mine))
        return torch.cat([rest[key][:, :2], mine], 1)

    torch.testing.assert_close(whole_optimizer_state(half, its_optimizer, gather), before, rtol=0, atol=0)


@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_clipping_parts_is_clipping_the_whole(max_norm):
    whole, cut, shared = (nn.Parameter(torch.zeros(n)) for n in (6, 3, 2))
    gradient = torch.arange(8.0)
    whole.grad, cut.grad, shared.grad = gradient[:6].clone(), gradient[3:6].clone(), gradient[6:].clone()
    also = nn.Parameter(torch.zeros(2))
    also.grad = gradient[6:].clone()
    expected = clip_grad_norm([whole, also], max_norm)
    elsewhere = gradient[:3].square().sum()
    found = clip_cut_gradients([cut], [shared], max_norm, lambda mine: mine + elsewhere)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(cut.grad, whole.grad[3:])
    torch.testing.assert_close(shared.grad, also.grad)


def test_a_norm_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="max_norm is 0"):
        clip_cut_gradients([], [], 0.0, lambda mine: mine)
