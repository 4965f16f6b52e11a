"""Planned bytes are those of real tensors, held and sent, counted while each strategy makes a step.

One run of four processes serves the plan of memory and that of communication.
"""

import pytest

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism import Layout, plan_communication, plan_memory, stage_parameters
from llmcourse.pretraining.parallelism.memory_plan import _stage_memory

KINDS = {  # what is cut, by the strategy's name
    "data": "data", "zero1": "data", "zero2": "data", "zero3": "data", "tensor": "tensor", "pipeline": "pipeline",
    "gpipe": "pipeline",
}  # fmt: skip


@pytest.fixture(scope="module")
def planned(run_case):
    return run_case("planned")[1]


def layout_of(name: str, n: int) -> Layout:
    stage = int(name[-1]) if name.startswith("zero") else 0
    schedule = "gpipe" if name == "gpipe" else "1f1b"
    return Layout(**{KINDS[name]: n}, zero_stage=stage, n_micro_batches=4, schedule=schedule)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("name", list(KINDS))
def test_each_strategy_keeps_what_is_planned(planned, ranks, name, n, precision):
    config, layout = ModelConfig(**ranks.PLAIN), layout_of(name, n)
    assert layout.parallel == name
    rows = 16 // layout.data // 4
    for rank, found in enumerate(planned):
        mine, stage = found[f"{name}-{n}-{precision}"], rank % layout.pipeline
        plan = _stage_memory(config, layout, stage, rows, 8, precision)
        assert mine["parameters"] == plan.parameters
        assert mine["gradients"] == plan.gradients
        assert mine["optimizer"] == plan.optimizer
        copies = 0.0
        if precision == "bf16":
            copies = 2 * stage_parameters(config, layout, stage).matrices * layout.in_flight(stage)
        assert mine["gathered"] == plan.gathered - copies
        # What was sent on is kept by the strategy, not by autograd.
        sent_on = rows * 8 * 16 * 4 * layout.in_flight(stage) if stage < layout.pipeline - 1 else 0
        assert mine["kept"] == plan.activations + copies - sent_on
    most = max(_stage_memory(config, layout, stage, rows, 8, precision).total for stage in range(layout.pipeline))
    assert plan_memory(config, layout, batch_size=16, seq_len=8, precision=precision).total == most


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("name", list(KINDS))
def test_each_strategy_sends_what_is_planned(planned, ranks, name, n, precision):
    layout = layout_of(name, n)
    plan = plan_communication(ModelConfig(**ranks.PLAIN), layout, batch_size=16, seq_len=8, precision=precision)
    sent = [found[f"{name}-{n}-{precision}"]["sent"] for found in planned]
    assert max(sent) == pytest.approx(plan.total)
    assert plan.total == getattr(plan, KINDS[name])
    if KINDS[name] != "pipeline":
        assert min(sent) == max(sent)
