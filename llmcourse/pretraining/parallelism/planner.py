"""Which layouts of a model over a number of GPUs fit, and how long a step is likely to take."""

from dataclasses import KW_ONLY, dataclass

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism.communication_plan import CommunicationPlan, plan_communication
from llmcourse.pretraining.parallelism.layout import Layout, layouts_of
from llmcourse.pretraining.parallelism.memory_plan import MemoryPlan, plan_memory
from llmcourse.pretraining.parallelism.pipeline import bubble_fraction
from llmcourse.runtime import GPU, gpu_named
from llmcourse.scaling import training_flops

__all__ = ["Plan", "plan"]

_USABLE = 0.9  # of the memory: the rest is CUDA's own, fragments, and what an operation needs for a moment


@dataclass(frozen=True)
class Plan:
    r"""A layout, and what it costs on each GPU.

    Attributes:
        layout: Over which GPUs.
        memory: Of the GPU that needs most.
        communication: In a step.
        bubble: The share of time in which a stage idles.
        fits: Whether the memory is at most nine tenths of what the GPU has.
        step_s: How long a step takes if nothing is hidden behind anything else: an order of magnitude.
    """

    _: KW_ONLY
    layout: Layout
    memory: MemoryPlan
    communication: CommunicationPlan
    bubble: float
    fits: bool
    step_s: float


def plan(
    config: ModelConfig,
    *,
    n_gpus: int,
    gpu: GPU | str,
    batch_size: int,
    seq_len: int,
    precision: str = "bf16",
    efficiency: float = 0.5,
) -> list[Plan]:
    r"""Plan a run on all GPUs of one machine.

    Args:
        config: Of the model.
        n_gpus: How many; all are used.
        gpu: Which kind, by name or as a record of your own.
        batch_size: Sequences in a step, of all GPUs.
        seq_len: Tokens in each.
        precision: "bf16" or "fp32".
        efficiency: The part of the peak that products reach; half of it is good.

    Returns:
        Of each data x tensor x pipeline and ZeRO stage the quickest that fits, with the micro-batches and the
        checkpointing that make it so, or the smallest if none does. Those that fit come first, the quickest before.

    Raises:
        ValueError: A number is out of range, or no layout uses all GPUs for this model and batch.

    Example:
        >>> config = ModelConfig(vocab_size=32_000, d_model=4096, n_layers=32, n_heads=32, d_ff=11_008)  # Llama 2 7B
        >>> plans = plan(config, n_gpus=8, gpu="h100", batch_size=64, seq_len=4096)
        >>> next(plan.fits for plan in plans if plan.layout.parallel == "data")
        False
        >>> next(plan.fits for plan in plans if plan.layout.parallel == "zero3")
        True
    """
    if min(n_gpus, batch_size, seq_len) < 1 or not 0 < efficiency <= 1:
        raise ValueError(
            f"n_gpus is {n_gpus}, batch_size {batch_size}, seq_len {seq_len} and efficiency {efficiency}: "
            "the first three are at least 1, the last is a part of 1"
        )
    kind = gpu_named(gpu) if isinstance(gpu, str) else gpu
    best: dict[tuple[int, ...], Plan] = {}
    for layout in layouts_of(config, n_gpus, batch_size):
        found = _plan_of(config, layout, kind, batch_size, seq_len, precision, efficiency)
        key = (layout.data, layout.tensor, layout.pipeline, layout.zero_stage)
        best[key] = min(best.get(key, found), found, key=_rank)
    if not best:
        raise ValueError(
            f"no layout of {n_gpus} GPUs cuts n_heads {config.n_heads}, n_kv_heads {config.n_kv_heads}, d_ff "
            f"{config.d_ff}, n_layers {config.n_layers} and batch_size {batch_size}: change the batch or the number"
        )
    return sorted(best.values(), key=_rank)


def _rank(found: Plan) -> tuple[bool, float]:
    return not found.fits, found.step_s if found.fits else found.memory.total


def _plan_of(
    config: ModelConfig, layout: Layout, gpu: GPU, batch_size: int, seq_len: int, precision: str, efficiency: float
) -> Plan:
    sizes = {"batch_size": batch_size, "seq_len": seq_len}
    memory = plan_memory(config, layout, precision=precision, **sizes)
    communication = plan_communication(config, layout, precision=precision, **sizes)
    bubble = bubble_fraction(layout.pipeline, layout.n_micro_batches)
    flops = training_flops(config, batch_size * seq_len, seq_len=seq_len)
    again = (flops.total - flops.head) / 3 if layout.checkpointing else 0  # blocks forward once more
    computing_s = (flops.total + again) / (layout.n_gpus * gpu.peak_flops * efficiency) / (1 - bubble)
    return Plan(
        layout=layout,
        memory=memory,
        communication=communication,
        bubble=bubble,
        fits=memory.total <= _USABLE * gpu.memory_bytes,
        step_s=computing_s + communication.total / gpu.link_bandwidth,
    )
