import importlib
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import multiprocessing

from llmcourse.architecture import scaled_dot_product_attention
from llmcourse.emerging import ring_attention, ring_join, ring_split

sys.path.insert(0, str(Path(__file__).parent))  # where new processes find the module, too
workers = importlib.import_module("ring_workers")


@pytest.fixture(scope="module", params=[2, 4])
def ring(request, tmp_path_factory):
    """What each process of a ring of two, and of four, found."""
    folder = tmp_path_factory.mktemp("ring")
    multiprocessing.spawn(workers.run_all, args=(request.param, folder), nprocs=request.param)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(request.param)]


@pytest.mark.parametrize("case", workers.CASES)
def test_forward_and_backward_are_those_of_full_attention(ring, case):
    options = dict(workers.CASES[case])
    order = options.pop("order", "zigzag")
    q, k, v, grad = (x.float() for x in workers.whole_text(case))
    q, k, v = (x.requires_grad_() for x in (q, k, v))
    expected = scaled_dot_product_attention(q, k, v, fused=False, **options)
    wanted = [expected, *torch.autograd.grad(expected, (q, k, v), grad)]
    tolerance = 1e-2 if case == "bf16" else 1e-5  # results, and nothing else, are rounded to 8 bits
    for number, tensor in enumerate(wanted):
        found = ring_join([process[case]["tensors"][number] for process in ring], order=order)
        assert found.dtype == (torch.bfloat16 if case == "bf16" else torch.float32)
        torch.testing.assert_close(found.float(), tensor.detach(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", workers.CASES)
def test_no_process_ever_holds_more_scores_than_its_own_tokens_squared(ring, case):
    own = workers.N_TOKENS // len(ring)
    values = 2 * workers.N_HEADS * own * 8
    for process in ring:
        assert process[case]["largest"] <= max(2 * workers.N_HEADS * own**2, values)


@given(st.integers(1, 5), st.integers(1, 4), st.sampled_from(["zigzag", "contiguous"]), st.sampled_from([0, 1]))
def test_join_undoes_split(n_processes, block, order, dim):
    x = torch.arange(2 * n_processes * block).unsqueeze(1 - dim)
    parts = ring_split(x, n_processes, dim=dim, order=order)
    assert len({part.shape for part in parts}) == 1
    assert torch.equal(ring_join(parts, dim=dim, order=order), x)


@given(st.integers(1, 6), st.integers(1, 3))
def test_zigzag_gives_every_process_the_same_causal_work(n_processes, block):
    parts = ring_split(torch.arange(2 * n_processes * block), n_processes, dim=0)
    assert len({int((part + 1).sum()) for part in parts}) == 1
    assert all((part.diff() > 0).all() for part in parts)  # so that a triangle is their own causal mask


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ring_split(torch.arange(6), 2, dim=0), r"6 tokens cannot be cut into 4 equal blocks"),
        (lambda: ring_split(torch.arange(8), 2, dim=0, order="striped"), r"order is 'striped'"),
        (lambda: ring_join([torch.arange(3)], dim=0), r"3 tokens cannot be cut into 2"),
        (lambda: ring_attention(*torch.zeros(3, 1, 1, 2, 4)), r"no processes are joined"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
