import pytest
import torch
from torch.nn import functional

from llmcourse.architecture import LayerNorm, layer_norm


@pytest.mark.parametrize("shape", [(3,), (5, 7), (2, 3, 123)])
def test_as_torch(shape):
    x, weight, bias = torch.randn(shape), torch.rand(shape[-1]), torch.randn(shape[-1])
    torch.testing.assert_close(
        layer_norm(x, weight, bias), functional.layer_norm(x, shape[-1:], weight, bias), rtol=1e-5, atol=1e-5
    )


def test_module_as_function():
    module = LayerNorm(6, eps=1e-3)
    torch.nn.init.normal_(module.weight)
    torch.nn.init.normal_(module.bias)
    x = torch.randn(4, 6)
    torch.testing.assert_close(module(x), layer_norm(x, module.weight, module.bias, eps=1e-3), rtol=1e-5, atol=1e-6)
    assert "eps=0.001" in repr(module)


def test_bf16_takes_its_statistics_in_fp32():
    # One rounding at the end: half a unit in the last of bf16's 8 bits.
    x, one, zero = torch.randn(3, 64).bfloat16(), torch.ones(64).bfloat16(), torch.zeros(64).bfloat16()
    exact = functional.layer_norm(x.float(), (64,))
    torch.testing.assert_close(layer_norm(x, one, zero).float(), exact, rtol=2**-8, atol=0)


@pytest.mark.parametrize(("name", "sizes"), [("weight", (5, 6)), ("bias", (6, 5))])
def test_refusal(name, sizes):
    with pytest.raises(ValueError, match=name):
        layer_norm(torch.ones(2, 6), torch.ones(sizes[0]), torch.ones(sizes[1]))
