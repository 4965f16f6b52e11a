import pytest
import torch
from torch.nn import functional

from llmcourse.architecture import linear_cross_entropy


def tensors(dtype=torch.float32):
    torch.manual_seed(0)
    hidden, weight = torch.randn(2, 7, 5, dtype=dtype), torch.randn(11, 5, dtype=dtype)
    return hidden.requires_grad_(), weight.requires_grad_(), torch.randint(11, (2, 7)), torch.rand(2, 7) < 0.6


@pytest.mark.parametrize("chunk_size", [1, 3, 14, 99])
@pytest.mark.parametrize("masked", [False, True])
def test_as_torch_in_two_steps(chunk_size, masked):
    hidden, weight, labels, mask = tensors()
    ours = linear_cross_entropy(hidden, weight, labels, mask if masked else None, chunk_size=chunk_size)
    kept = mask if masked else torch.ones_like(mask)
    theirs = functional.cross_entropy((hidden @ weight.T)[kept], labels[kept])
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad(3 * loss, (hidden, weight)) for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-6)


def test_gradients_in_float64():
    hidden, weight, labels, mask = tensors(torch.float64)
    assert torch.autograd.gradcheck(
        lambda h, w: linear_cross_entropy(h, w, labels, mask, chunk_size=4), (hidden, weight)
    )


def test_nothing_counts():
    hidden, weight, labels, mask = tensors()
    loss = linear_cross_entropy(hidden, weight, torch.full_like(labels, -100), torch.zeros_like(mask))
    loss.backward()
    assert loss.item() == 0 and hidden.grad.eq(0).all() and weight.grad.eq(0).all()


def test_what_is_hidden_may_be_any_number():
    hidden, weight, labels, mask = tensors()
    assert linear_cross_entropy(hidden, weight, labels.where(mask, -100), mask).equal(
        linear_cross_entropy(hidden, weight, labels, mask)
    )


def test_large_logits_and_one_gradient_alone():
    hidden, weight, labels, _ = tensors()
    loss = linear_cross_entropy(1000 * hidden, weight.detach(), labels)
    expected = functional.cross_entropy((1000 * hidden @ weight.T).flatten(0, 1), labels.flatten())
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    loss.backward()
    assert weight.grad is None and hidden.grad.isfinite().all()


def test_bf16():
    # Logits, of up to some 8, are rounded to 8 bits, as in two steps; the loss is summed in fp32.
    hidden, weight, labels, _ = tensors(torch.bfloat16)
    loss = linear_cross_entropy(hidden, weight, labels)
    exact = functional.cross_entropy((hidden.float() @ weight.float().T).flatten(0, 1), labels.flatten())
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, exact, rtol=0, atol=8 * 2**-8)
    loss.backward()
    assert hidden.grad.dtype == weight.grad.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, w, y, m: ((h, w[:, :4], y, m), {}), r"weight \(11, 4\)"),
        (lambda h, w, y, m: ((h, w, y[:, 1:], m), {}), r"labels \(2, 6\)"),
        (lambda h, w, y, m: ((h, w, y, m.float()), {}), "mask is torch.float32"),
        (lambda h, w, y, m: ((h, w, y, m[:1]), {}), r"\(1, 7\): make it boolean"),
        (lambda h, w, y, m: ((h, w, y, m), {"chunk_size": 0}), "chunk_size is 0"),
    ],
)
def test_refusals(change, message):
    inputs, options = change(*tensors())
    with pytest.raises(ValueError, match=message):
        linear_cross_entropy(*inputs, **options)
