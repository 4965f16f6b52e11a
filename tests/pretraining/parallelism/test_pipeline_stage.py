"""Layers shared out among stages, which together are the model."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining.parallelism import PipelineStage, stage_layers


@given(n_stages=st.integers(1, 20), more=st.integers(0, 50))
def test_each_layer_is_in_one_stage_and_stages_are_even(n_stages, more):
    shares = stage_layers(n_stages + more, n_stages)
    assert [layer for share in shares for layer in share] == list(range(n_stages + more))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("sizes", [(3, 4), (3, 0)])
def test_fewer_layers_than_stages_are_refused(sizes):
    with pytest.raises(ValueError, match=f"n_layers is {sizes[0]} and there are {sizes[1]} stages"):
        stage_layers(*sizes)


def test_stages_one_after_the_other_are_the_model():
    torch.manual_seed(0)
    model = Transformer(ModelConfig(vocab_size=9, d_model=8, n_layers=5, n_heads=2, position_embedding="learned"))
    tokens, documents = torch.arange(12).view(2, 6) % 9, torch.tensor([[0, 0, 1, 1, 1, 2]] * 2)
    x, names = tokens, []
    for stage in (PipelineStage(model, number, 3) for number in range(3)):
        x = stage(x, documents)
        names += list(stage.state_dict())
    assert torch.equal(x, model(tokens, document_ids=documents))
    assert names == list(model.state_dict())


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="the model is a Linear"):
        PipelineStage(nn.Linear(1, 1), 0, 1)
