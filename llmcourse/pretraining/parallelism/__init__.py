"""One model trained by many processes: what is sent, when, and how much memory it spares."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmcourse.pretraining.parallelism.communication_plan import CommunicationPlan, plan_communication
from llmcourse.pretraining.parallelism.cut_state import (
    clip_cut_gradients,
    cut_optimizer_state,
    whole_optimizer_state,
)
from llmcourse.pretraining.parallelism.data_parallel import DataParallel, average_gradients
from llmcourse.pretraining.parallelism.layout import Layout, layouts_of
from llmcourse.pretraining.parallelism.memory_plan import MemoryPlan, plan_memory, stage_parameters
from llmcourse.pretraining.parallelism.pipeline import Pipeline, bubble_fraction
from llmcourse.pretraining.parallelism.pipeline_schedule import kept_activations, pipeline_actions, pipeline_timeline
from llmcourse.pretraining.parallelism.pipeline_stage import PipelineStage, stage_layers
from llmcourse.pretraining.parallelism.planner import Plan, plan
from llmcourse.pretraining.parallelism.processes import JoinedProcesses, join_processes
from llmcourse.pretraining.parallelism.ring import ring_all_reduce, ring_all_reduce_
from llmcourse.pretraining.parallelism.sharded_parameter import ShardedParameter
from llmcourse.pretraining.parallelism.strategies import (
    STRATEGIES,
    data_parallel,
    make_strategy,
    pipeline_parallel,
    tensor_parallel,
)
from llmcourse.pretraining.parallelism.tensor_parallel import (
    TensorParallel,
    column_parallel_linear,
    row_parallel_linear,
)
from llmcourse.pretraining.parallelism.zero import Zero, zero_memory

if TYPE_CHECKING:
    from llmcourse.pretraining.parallelism.ddp import TorchDDP
    from llmcourse.pretraining.parallelism.dtensor import TorchTensorParallel
    from llmcourse.pretraining.parallelism.fsdp import TorchFSDP
    from llmcourse.pretraining.parallelism.torch_pipeline import TorchPipeline

__all__ = [
    "STRATEGIES",
    "CommunicationPlan",
    "DataParallel",
    "JoinedProcesses",
    "Layout",
    "MemoryPlan",
    "Pipeline",
    "PipelineStage",
    "Plan",
    "ShardedParameter",
    "TensorParallel",
    "TorchDDP",
    "TorchFSDP",
    "TorchPipeline",
    "TorchTensorParallel",
    "Zero",
    "average_gradients",
    "bubble_fraction",
    "clip_cut_gradients",
    "column_parallel_linear",
    "cut_optimizer_state",
    "data_parallel",
    "join_processes",
    "kept_activations",
    "layouts_of",
    "make_strategy",
    "pipeline_actions",
    "pipeline_parallel",
    "pipeline_timeline",
    "plan",
    "plan_communication",
    "plan_memory",
    "ring_all_reduce",
    "ring_all_reduce_",
    "row_parallel_linear",
    "stage_layers",
    "stage_parameters",
    "tensor_parallel",
    "whole_optimizer_state",
    "zero_memory",
]

# Imported when asked for: torch's engines take a second, which those who read the rest need not wait.
_ENGINES = {
    "TorchDDP": "ddp",
    "TorchTensorParallel": "dtensor",
    "TorchFSDP": "fsdp",
    "TorchPipeline": "torch_pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _ENGINES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ENGINES[name]}"), name)
