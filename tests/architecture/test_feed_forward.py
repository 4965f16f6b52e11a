import pytest
import torch

from llmcourse.architecture import (
    FEED_FORWARDS,
    GeluMLP,
    ModelConfig,
    SwiGLU,
    Transformer,
    make_feed_forward,
    register_feed_forward,
    swiglu,
)


def test_as_transformers_gated_mlp(make_huggingface):
    theirs = make_huggingface("llama2").model.layers[0].mlp
    x = torch.randn(2, 3, 32)
    ours = swiglu(x, theirs.up_proj.weight, theirs.gate_proj.weight, theirs.down_proj.weight)
    torch.testing.assert_close(ours, theirs(x), rtol=1e-5, atol=1e-6)


def test_by_hand():
    x, w1, w_gate, w2 = torch.randn(4, 3), torch.randn(5, 3), torch.randn(5, 3), torch.randn(3, 5)
    gate = x @ w_gate.T
    expected = ((x @ w1.T) * gate / (1 + torch.exp(-gate))) @ w2.T
    torch.testing.assert_close(swiglu(x, w1, w_gate, w2), expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(swiglu(x, w_gate, w1, w2), expected)


def test_first_and_second_derivative_in_float64():
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    weights = [torch.randn(size, dtype=torch.float64, requires_grad=True) for size in ((4, 3), (4, 3), (3, 4))]
    assert torch.autograd.gradcheck(swiglu, (x, *weights)) and torch.autograd.gradgradcheck(swiglu, (x, *weights))


def test_modules(config):
    x, layer = torch.randn(2, config.d_model), SwiGLU(config)
    torch.testing.assert_close(layer(x), swiglu(x, layer.w1.weight, layer.w_gate.weight, layer.w2.weight))
    gelu = GeluMLP(config)
    hidden = x @ gelu.w1.weight.T
    exact = (0.5 * hidden * (1 + torch.erf(hidden / 2**0.5))) @ gelu.w2.weight.T
    torch.testing.assert_close(gelu(x), exact, rtol=1e-5, atol=1e-6)
    assert isinstance(make_feed_forward(config), SwiGLU)


def test_bf16():
    # Three products of numbers about 1, each rounded to 8 bits.
    x, w1, w_gate, w2 = (torch.randn(s) / s[1] ** 0.5 for s in ((4, 16), (24, 16), (24, 16), (16, 24)))
    low = swiglu(*(t.bfloat16() for t in (x, w1, w_gate, w2)))
    exact = swiglu(*(t.bfloat16().float() for t in (x, w1, w_gate, w2)))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), exact, rtol=0, atol=3 * 2**-8 * exact.abs().max().item())


def test_a_registered_layer_reaches_the_model():
    @register_feed_forward("test_scaled")
    class Scaled(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.by = config.feed_forward_options["by"]

        def forward(self, x):
            return self.by * x

    try:
        sizes = {"vocab_size": 8, "d_model": 8, "n_layers": 1, "n_heads": 2}
        model = Transformer(ModelConfig(**sizes, feed_forward="test_scaled", feed_forward_options={"by": 3}))
        assert isinstance(model.blocks[0].feed_forward, Scaled) and model.blocks[0].feed_forward.by == 3
    finally:
        del FEED_FORWARDS["test_scaled"]


def test_refusals():
    sizes = {"vocab_size": 8, "d_model": 8, "n_layers": 1, "n_heads": 2}
    with pytest.raises(ValueError, match=r"'experts_of_tomorrow'.*import llmcourse.emerging"):
        make_feed_forward(ModelConfig(**sizes, feed_forward="experts_of_tomorrow"))
    with pytest.raises(ValueError, match=r"w1 has shape \(4, 3\), w_gate \(5, 3\)"):
        swiglu(torch.ones(2, 3), torch.ones(4, 3), torch.ones(5, 3), torch.ones(3, 4))
    with pytest.raises(ValueError, match=r"\(d_ff, 2\)"):
        swiglu(torch.ones(2, 2), torch.ones(4, 3), torch.ones(4, 3), torch.ones(3, 4))
