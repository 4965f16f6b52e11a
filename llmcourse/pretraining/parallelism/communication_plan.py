"""How many bytes a GPU sends in a step, by what they are for."""

from dataclasses import KW_ONLY, astuple, dataclass

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism.layout import Layout
from llmcourse.pretraining.parallelism.memory_plan import stage_parameters

__all__ = ["CommunicationPlan", "plan_communication"]

_WIDE = 4


@dataclass(frozen=True)
class CommunicationPlan:
    r"""Bytes that the GPU which sends most of each sends in a step.

    Attributes:
        data: Gradients, and under ZeRO weights.
        tensor: Outputs of sublayers, and gradients of their inputs.
        pipeline: The residual stream, and its gradient.
    """

    _: KW_ONLY
    data: float
    tensor: float
    pipeline: float

    @property
    def total(self) -> float:
        """The sum of all three."""
        return sum(astuple(self))


def plan_communication(
    config: ModelConfig, layout: Layout, *, batch_size: int, seq_len: int, precision: str = "bf16"
) -> CommunicationPlan:
    r"""Return what a GPU sends in a step, where sums go round a ring.

    A ring of n GPUs sends (n - 1) / n of a tensor to gather or to scatter it, and twice that to add it up everywhere.

    Args:
        config: Of the model.
        layout: How it is laid out.
        batch_size: Sequences in a step, of all GPUs.
        seq_len: Tokens in each.
        precision: "fp32" or "bf16", in which sublayers' outputs are.

    Returns:
        Bytes by kind, as the strategies that are written out send them; torch's engines send as much or less. The few
        numbers of losses, norms and QK-norm's gains are left out.

    Example:
        >>> config = ModelConfig(vocab_size=32_000, d_model=2048, n_layers=16, n_heads=16)
        >>> options = {"batch_size": 64, "seq_len": 2048}
        >>> for layout in (Layout(data=8), Layout(tensor=8), Layout(pipeline=8, n_micro_batches=64)):
        ...     print(f"{plan_communication(config, layout, **options).total / 1e9:.1f} GB")
        6.6 GB
        90.2 GB
        2.1 GB
    """
    stages = [stage_parameters(config, layout, stage) for stage in range(layout.pipeline)]
    tokens = batch_size // layout.data * seq_len
    narrow = _WIDE if precision == "fp32" else 2
    # Two sublayers: outputs forward, gradients of fp32 inputs backward; the last output is not computed again.
    a_block = (2 * narrow + 2 * _WIDE + layout.checkpointing * narrow) * tokens * config.d_model
    neighbours = min(layout.pipeline - 1, 2)
    return CommunicationPlan(
        data=max(_of_copies(layout, stage.blocks, stage.outside) for stage in stages),
        tensor=2 * _ring(layout.tensor) * a_block * max(stage.n_layers for stage in stages),
        pipeline=float(neighbours * _WIDE * tokens * config.d_model),
    )


def _of_copies(layout: Layout, blocks: int, outside: int) -> float:
    whole, m = blocks + outside, layout.n_micro_batches
    times_sent = {
        0: 2 * whole,
        1: 2 * whole,
        2: (m + 1) * whole,
        3: m * (whole + 2 * blocks + outside),
    }
    return _WIDE * _ring(layout.data) * times_sent[layout.zero_stage]


def _ring(n: int) -> float:
    return (n - 1) / n
