import pytest
import torch
from torch import nn

from llmcourse.architecture import LoRA, add_lora, lora_layers, remove_lora


class Int8Linear(nn.Module):
    """A quantized layer: it has the sizes, and no floating-point weight."""

    def __init__(self, layer):
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.scale = layer.weight.abs().amax() / 127
        self.register_buffer("weight", (layer.weight / self.scale).round().to(torch.int8))

    def forward(self, x):
        return nn.functional.linear(x, self.weight.float() * self.scale)


def trained(layer, rank=3):
    adapted = LoRA(layer, rank=rank, alpha=6.0)
    nn.init.normal_(adapted.up)
    return adapted


def test_the_update_is_up_times_down():
    layer = nn.Linear(7, 5)
    adapted, x = trained(layer), torch.randn(4, 7)
    dense = layer.weight + 6.0 / 3 * adapted.up @ adapted.down
    torch.testing.assert_close(adapted(x), x @ dense.T + layer.bias, rtol=1e-5, atol=1e-5)
    assert torch.equal(LoRA(layer, rank=2)(x), layer(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_merge_and_unmerge_give_back_each_bit(dtype):
    adapted = trained(nn.Linear(33, 17).to(dtype))
    x = torch.randn(4, 33, dtype=dtype)
    weight, before = adapted.layer.weight.clone(), adapted(x)
    adapted.merge()
    adapted.merge()
    assert adapted.merged and not torch.equal(adapted.layer.weight, weight)
    # bf16: the merged weights, and the sums on both sides, are rounded to 8 bits; values here are up to some 30.
    tolerance = 1e-4 if dtype == torch.float32 else 0.5
    torch.testing.assert_close(adapted(x), before, rtol=0, atol=tolerance)
    adapted.unmerge()
    adapted.unmerge()
    assert not adapted.merged and torch.equal(adapted.layer.weight, weight) and torch.equal(adapted(x), before)


def test_only_the_detour_is_trained():
    adapted = trained(nn.Linear(7, 5))
    adapted(torch.randn(2, 7)).sum().backward()
    assert adapted.layer.weight.grad is None and adapted.up.grad is not None and adapted.down.grad is not None


def test_a_quantized_layer_can_be_adapted_and_not_merged():
    adapted = trained(Int8Linear(nn.Linear(8, 4)))
    adapted(torch.randn(2, 8)).sum().backward()
    assert adapted.up.grad.abs().sum() > 0 and adapted.up.dtype == torch.float32
    with pytest.raises(ValueError, match=r"Int8Linear has no floating-point weight \(4, 8\)"):
        adapted.merge()


def test_a_model_with_lora_starts_as_it_was_trains_and_becomes_plain_again(model):
    tokens = torch.randint(61, (2, 6))
    before = model(tokens)
    names = set(model.state_dict())
    add_lora(model, rank=2, targets=("q", "v", "w1"))
    torch.testing.assert_close(model(tokens), before, rtol=1e-5, atol=1e-6)
    assert len(list(lora_layers(model))) == 6
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    for _ in range(2):
        model.loss(tokens, tokens).backward()
        optimizer.step()
    after = model(tokens)
    assert not torch.allclose(after, before, atol=1e-3)
    remove_lora(model)
    assert set(model.state_dict()) == names
    torch.testing.assert_close(model(tokens), after, rtol=1e-4, atol=1e-4)


def test_refusals(model):
    with pytest.raises(ValueError, match="Embedding has in_features None"):
        LoRA(nn.Embedding(3, 4), rank=1)
    with pytest.raises(ValueError, match="rank is 0"):
        LoRA(nn.Linear(3, 4), rank=0)
    with pytest.raises(ValueError, match=r"named one of \['query'\]"):
        add_lora(model, rank=1, targets=["query"])
    add_lora(model, rank=1)
    with pytest.raises(ValueError, match="LoRA layers already"):
        add_lora(model, rank=1)
