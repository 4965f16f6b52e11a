"""Two stages' states are the whole model's, with the numbers that its optimizer gives."""

import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import AdamW
from llmcourse.pretraining.parallelism import PipelineStage
from llmcourse.pretraining.parallelism.stage_state import StageState, join_stages, load_stage


def optimizer_of(model):
    groups = [[p for p in model.parameters() if (p.ndim > 1) is matrices] for matrices in (True, False)]
    return AdamW([{"params": groups[0], "weight_decay": 0.3}, {"params": groups[1], "weight_decay": 0.0}], lr=0.1)


def test_states_join_and_part_again():
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=9, d_model=8, n_layers=3, n_heads=2)
    whole, other = Transformer(config), Transformer(config)
    optimizer = optimizer_of(whole)
    whole(torch.arange(6).view(1, 6)).square().sum().backward()
    optimizer.step()
    state = {"model": whole.state_dict(), "optimizer": optimizer.state_dict()}
    stages = [PipelineStage(other, number, 2) for number in range(2)]
    optimizers = [optimizer_of(stage) for stage in stages]
    pairs = list(zip(stages, optimizers, strict=True))
    groups = [StageState.of(*pair).groups for pair in pairs]
    for pair in pairs:
        load_stage(*pair, state, groups)
    torch.testing.assert_close(join_stages([StageState.of(*pair) for pair in pairs]), state, rtol=0, atol=0)
    assert all(torch.equal(mine, other.state_dict()[name]) for name, mine in whole.state_dict().items())


def test_an_optimizer_that_has_made_no_step_has_nothing_to_part():
    whole = Transformer(ModelConfig(vocab_size=9, d_model=8, n_layers=2, n_heads=2))
    state = {"model": whole.state_dict(), "optimizer": optimizer_of(whole).state_dict()}
    stage = PipelineStage(whole, 0, 1)
    optimizer = optimizer_of(stage)
    load_stage(stage, optimizer, state, [StageState.of(stage, optimizer).groups])
    assert not optimizer.state
