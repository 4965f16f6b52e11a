"""Planned bytes are those that each strategy sends."""

import pytest

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism import Layout, plan_communication


@pytest.fixture(scope="module")
def planned(run_case):
    return run_case("planned")[1]


LAYOUTS = {
    "data": ("data", 0), "zero1": ("data", 1), "zero2": ("data", 2), "zero3": ("data", 3), "tensor": ("tensor", 0),
    "pipeline": ("pipeline", 0), "gpipe": ("pipeline", 0),
}  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("name", list(LAYOUTS))
def test_each_strategy_sends_what_is_planned(planned, ranks, name, n, precision):
    kind, stage = LAYOUTS[name]
    layout = Layout(**{kind: n}, zero_stage=stage, n_micro_batches=4)
    plan = plan_communication(ModelConfig(**ranks.PLAIN), layout, batch_size=16, seq_len=8, precision=precision)
    sent = [found[f"{name}-{n}-{precision}"]["sent"] for found in planned]
    assert max(sent) == pytest.approx(plan.total)
    assert plan.total == getattr(plan, kind)
    if kind != "pipeline":
        assert min(sent) == max(sent)


def test_one_gpu_sends_nothing_and_checkpointing_makes_tensor_parallelism_send_again():
    config = ModelConfig(vocab_size=8, d_model=16, n_layers=2, n_heads=2)
    sizes = {"batch_size": 4, "seq_len": 8, "precision": "fp32"}
    assert plan_communication(config, Layout(), **sizes).total == 0
    plain, again = (plan_communication(config, Layout(tensor=2, checkpointing=c), **sizes) for c in (False, True))
    assert again.tensor == plain.tensor * 5 / 4
