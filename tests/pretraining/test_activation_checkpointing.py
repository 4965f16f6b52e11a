import copy

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import checkpoint_activations

TOKENS = torch.randint(32, (2, 33), generator=torch.Generator().manual_seed(0))


def make(n_layers=4):
    torch.manual_seed(0)
    return Transformer(ModelConfig(vocab_size=32, d_model=32, n_layers=n_layers, n_heads=4))


def kept_bytes(model):
    """Return the loss, and how many bytes the forward pass kept beside the weights."""
    weights = {parameter.data_ptr() for parameter in model.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model.loss(TOKENS[:, :-1], TOKENS[:, 1:])
    return loss, sum(kept.values())


@pytest.mark.parametrize("every", [1, 2])
def test_loss_and_gradients_are_bit_for_bit_the_same(every):
    plain = make()
    checkpointed = copy.deepcopy(plain)
    checkpoint_activations(checkpointed, every=every)
    assert list(checkpointed.state_dict()) == list(plain.state_dict())
    losses = [model.loss(TOKENS[:, :-1], TOKENS[:, 1:]) for model in (plain, checkpointed)]
    assert torch.equal(*losses)
    for loss in losses:
        loss.backward()
    for one, other in zip(plain.parameters(), checkpointed.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


def test_far_less_is_kept():
    plain, all_blocks, half = make(), make(), make()
    checkpoint_activations(all_blocks)
    checkpoint_activations(half, every=2)
    kept = [kept_bytes(model)[1] for model in (plain, half, all_blocks)]
    assert kept[2] < 0.3 * kept[0]
    assert kept[2] < kept[1] < 0.7 * kept[0]


def test_bad_input_is_quoted():
    with pytest.raises(ValueError, match="every is 0"):
        checkpoint_activations(make(), every=0)
    with pytest.raises(ValueError, match="the model a Linear"):
        checkpoint_activations(torch.nn.Linear(2, 2))
