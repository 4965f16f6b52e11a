import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import Muon, orthogonalize


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(2, 12), columns=st.integers(2, 12), scale=st.floats(1e-3, 1e3))
def test_singular_vectors_stay_and_singular_values_come_near_one(seed, rows, columns, scale):
    generator = torch.Generator().manual_seed(seed)
    u, _, v = torch.linalg.svd(torch.randn(rows, columns, generator=generator).double(), full_matrices=False)
    values = torch.rand(min(rows, columns), generator=generator).double() * 0.9 + 0.1
    found = orthogonalize((u * values) @ v * scale)
    inner = u.T @ found @ v.T
    assert (inner - inner.diag().diag()).abs().max() < 1e-6
    assert inner.diag().min() > 0.6
    assert inner.diag().max() < 1.3


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
@pytest.mark.parametrize("like_adamw", [True, False])
def test_it_is_torchs_over_100_steps(like_adamw):
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(6, 4)), torch.nn.Parameter(torch.randn(3, 8))]
    theirs = copy.deepcopy(ours)
    adjust = "match_rms_adamw" if like_adamw else "original"
    mine = Muon(ours, lr=0.02, like_adamw=like_adamw)
    torchs = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn=adjust)
    for _ in range(100):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        mine.step()
        torchs.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_a_run_goes_on_from_its_state():
    torch.manual_seed(0)
    whole = torch.nn.Parameter(torch.randn(4, 4))
    optimizer = Muon([whole], lr=0.1)
    gradients = torch.randn(4, 4, 4)
    for gradient in gradients[:2]:
        whole.grad = gradient
        optimizer.step()
    part = torch.nn.Parameter(whole.detach().clone())
    resumed = Muon([part], lr=0.1)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for gradient in gradients[2:]:
        for parameter, made in ((whole, optimizer), (part, resumed)):
            parameter.grad = gradient
            made.step()
    assert torch.equal(whole, part)


def test_a_closure_is_called_with_gradients():
    weight = torch.nn.Parameter(torch.eye(2))

    def closure():
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    assert Muon([weight]).step(closure) == 2.0
    assert weight[0, 0] < 1


def test_what_has_no_gradient_stays():
    weight = torch.nn.Parameter(torch.ones(2, 2))
    Muon([weight]).step()
    assert torch.equal(weight.data, torch.ones(2, 2))


def test_bad_input_is_quoted():
    matrix = torch.nn.Parameter(torch.eye(2))
    with pytest.raises(ValueError, match=r"a parameter has shape \(3,\)"):
        Muon([matrix, torch.nn.Parameter(torch.ones(3))])
    for name, value in (("lr", -1), ("weight_decay", -1), ("momentum", 1)):
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            Muon([matrix], **{name: value})
    with pytest.raises(ValueError, match=r"matrix has shape \(2,\)"):
        orthogonalize(torch.ones(2))
