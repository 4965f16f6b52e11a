"""Smoothing changes no output, and makes activations with outliers fit for 8 bits."""

import copy

import pytest
import torch
from torch import nn

from llmcourse.inference import Int8Linear, smooth_activations, smoothing_scale


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tokens(seed=0):
    return torch.randint(61, (2, 16), generator=torch.Generator().manual_seed(seed))


def with_outliers(model, *, size=40.0):
    """Give two features of each norm a gain so large that they reach far beyond the others, as large models have."""
    for block in model.blocks:
        for norm, layers in (
            (block.attention_norm, [block.attention.q, block.attention.k, block.attention.v]),
            (block.feed_forward_norm, [block.feed_forward.w1, block.feed_forward.w_gate]),
        ):
            norm.weight[[3, 17]] *= size
            for layer in layers:
                layer.weight[:, [3, 17]] /= size
    return model


def in_8_bits(model):
    model = copy.deepcopy(model)
    for block in model.blocks:
        for name in ("q", "k", "v"):
            setattr(block.attention, name, Int8Linear(getattr(block.attention, name), outlier_threshold=None))
        for name in ("w1", "w_gate"):
            setattr(block.feed_forward, name, Int8Linear(getattr(block.feed_forward, name), outlier_threshold=None))
    return model


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_scales_make_maxima_equal(alpha):
    x, weights = draw(20, 8) * torch.arange(1, 9), [draw(5, 8, seed=1), draw(3, 8, seed=2)]
    scale = smoothing_scale(x.abs().amax(0), weights, alpha=alpha)
    of_inputs = (x / scale).abs().amax(0)
    of_weights = (torch.cat(weights) * scale).abs().amax(0)
    if alpha == 0.5:
        torch.testing.assert_close(of_inputs, of_weights)
    else:
        torch.testing.assert_close(of_weights if alpha == 0 else of_inputs, torch.ones(8))


def test_features_that_are_never_used_stay():
    scale = smoothing_scale(torch.tensor([0.0, 2.0, 8.0]), [torch.tensor([[1.0, 0.0, 2.0]])])
    assert scale.tolist() == [1.0, 1.0, 2.0]
    with pytest.raises(ValueError, match=r"alpha is 1.5: give 0 to 1"):
        smoothing_scale(torch.ones(2), [torch.ones(1, 2)], alpha=1.5)


def test_a_smoothed_model_computes_the_same(variant):
    smoothed = smooth_activations(copy.deepcopy(variant), tokens(), alpha=0.7)
    torch.testing.assert_close(smoothed(tokens(1)), variant(tokens(1)), rtol=1e-4, atol=1e-4)
    changed = [name for name, p in smoothed.named_parameters() if not torch.equal(p, variant.get_parameter(name))]
    assert any("attention_norm" in name for name in changed) and any("feed_forward_norm" in name for name in changed)
    assert not {"embedding.weight", "norm.weight", "output.weight"} & set(changed)


def test_eight_bits_lose_less_after_smoothing(model):
    plain = model(tokens(1))
    spoiled = with_outliers(copy.deepcopy(model))
    torch.testing.assert_close(spoiled(tokens(1)), plain, rtol=1e-3, atol=1e-3)
    without = (in_8_bits(spoiled)(tokens(1)) - plain).norm() / plain.norm()
    smoothed = (in_8_bits(smooth_activations(spoiled, tokens()))(tokens(1)) - plain).norm() / plain.norm()
    assert smoothed < without / 2


class Odd(nn.Module):
    """A model whose norm is read by more than a linear layer."""

    def __init__(self):
        super().__init__()
        self.embedding, self.norm, self.up = nn.Embedding(61, 8), nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        y = self.norm(self.embedding(x))
        return self.up(y) + y


def test_a_norm_with_other_readers_is_refused_and_nothing_changed():
    torch.manual_seed(0)
    model = Odd()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="1 norms are read by linear layers alone, and logits differ by"):
        smooth_activations(model, tokens())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="0 norms"):
        smooth_activations(model, tokens(), skip=("up",))
