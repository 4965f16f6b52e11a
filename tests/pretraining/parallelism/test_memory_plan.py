"""Planned bytes are those that autograd keeps and modules hold; test_planned_bytes.py has the strategies."""

import pytest
import torch
from watched import kept_by_autograd, norms_as_on_a_gpu

from llmcourse.architecture import LatentAttentionConfig, ModelConfig, Transformer
from llmcourse.pretraining import MicroBatch, NextToken, checkpoint_activations
from llmcourse.pretraining.parallelism import Layout, PipelineStage, plan_memory, stage_parameters, zero_memory

SIZES = {"vocab_size": 40, "d_model": 32, "n_layers": 3, "n_heads": 4, "n_kv_heads": 2, "d_ff": 112}
OTHERS = {
    "swiglu": {},
    "gelu": {"feed_forward": "gelu", "norm": "layer", "position_embedding": "learned"},
    "biases": {"qkv_bias": True, "output_bias": True, "tie_embeddings": True, "head_dim": 12},
}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("others", list(OTHERS))
def test_activations_are_those_that_autograd_keeps(others, checkpointing, precision):
    config = ModelConfig(**SIZES | OTHERS[others])
    model, tokens = Transformer(config), torch.zeros(2, 64, dtype=torch.long)
    layout = Layout(checkpointing=checkpointing)
    if checkpointing:
        checkpoint_activations(model)
    with norms_as_on_a_gpu(), kept_by_autograd(model.parameters) as kept:
        loss = NextToken(precision=precision)(model, MicroBatch(tokens, tokens))
        now = kept["now"]
        loss.backward()
    memory = plan_memory(config, layout, batch_size=2, seq_len=64, precision=precision)
    if not checkpointing:
        assert now == memory.activations + memory.gathered
        return
    # What a block computes again is out of the counter's sight; cosines and sines wait in a closure.
    block = plan_memory(ModelConfig(**SIZES | OTHERS[others] | {"n_layers": 1}), Layout(), batch_size=2, seq_len=64,
                        precision=precision).activations  # fmt: skip
    none = plan_memory(ModelConfig(**SIZES | OTHERS[others] | {"n_layers": 1}), layout, batch_size=2, seq_len=64,
                       precision=precision).activations  # fmt: skip
    assert block == none  # of one block there is nothing to spare
    tables = 2 * 4 * 64 * config.head_dim if config.position_embedding == "rope" else 0
    assert now < memory.activations
    stream = 2 * 64 * 32 * 4
    two_more = memory.activations - none
    assert two_more == 2 * stream
    assert now == 3 * stream + (block - _inside(config, precision) - tables)


def _inside(config: ModelConfig, precision: str) -> float:
    """Return what one block keeps, by the difference that one more makes."""
    sizes = {"batch_size": 2, "seq_len": 64, "precision": precision}
    three = plan_memory(config, Layout(), **sizes).activations
    fewer = ModelConfig(**{name: getattr(config, name) for name in config.__dataclass_fields__} | {"n_layers": 2})
    return three - plan_memory(fewer, Layout(), **sizes).activations


@pytest.mark.parametrize("others", ["swiglu", "gelu"])
@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_a_stages_parameters_are_counted_exactly(others, n_stages):
    config = ModelConfig(**SIZES | OTHERS[others])
    for stage in range(n_stages):
        module = PipelineStage(Transformer(config), stage, n_stages)
        counts = stage_parameters(config, Layout(pipeline=n_stages), stage)
        assert counts.total == sum(parameter.numel() for parameter in module.parameters())
        assert counts.blocks == sum(parameter.numel() for parameter in module.blocks.parameters())


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_weights_gradients_and_optimizer_are_zeros_formula(stage):
    config = ModelConfig(**SIZES)
    memory = plan_memory(config, Layout(data=4, zero_stage=stage), batch_size=4, seq_len=8, precision="fp32")
    n = sum(parameter.numel() for parameter in Transformer(config).parameters())
    expected = zero_memory(n, 4, stage, parameter_bytes=4, gradient_bytes=4, optimizer_bytes=8)
    assert memory.parameters + memory.gradients + memory.optimizer == pytest.approx(expected)


def test_bad_values_are_quoted():
    config = ModelConfig(**SIZES)
    with pytest.raises(ValueError, match="precision is 'int8'"):
        plan_memory(config, Layout(), batch_size=1, seq_len=1, precision="int8")
    with pytest.raises(ValueError, match="batch_size is 3, which 2 copies of 1 micro-batches do not divide"):
        plan_memory(config, Layout(data=2), batch_size=3, seq_len=1)
    latent = LatentAttentionConfig(kv_rank=4, nope_head_dim=4, rope_head_dim=4, value_head_dim=4)
    with pytest.raises(ValueError, match="latent attention's activations are not counted"):
        plan_memory(ModelConfig(vocab_size=8, d_model=8, n_layers=1, n_heads=2, latent=latent), Layout(),
                    batch_size=1, seq_len=1)  # fmt: skip
