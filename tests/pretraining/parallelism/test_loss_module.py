"""The loss where a module is called."""

import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import MicroBatch, NextToken
from llmcourse.pretraining.parallelism.loss_module import LossModule


def test_it_is_the_models_loss_and_hooks_are_called():
    model = Transformer(ModelConfig(vocab_size=8, d_model=16, n_layers=1, n_heads=2))
    module, called = LossModule(model), []
    module.register_forward_hook(lambda *_: called.append(True))
    batch = MicroBatch(torch.arange(8).view(2, 4), torch.arange(8).view(2, 4))
    assert torch.equal(module(batch, NextToken()), NextToken()(model, batch))
    assert called == [True]
