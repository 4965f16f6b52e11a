"""A planner of memory: what one GPU holds of a training run, by part, under each layout over GPUs."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

import traitlets

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism.layout import Layout
from llmcourse.pretraining.parallelism.memory_plan import MemoryPlan, plan_memory
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["MemoryPlanner"]

_HERE = Path(__file__).parent
_COPIES: Final = (1, 2, 4, 8, 16, 32, 64)
_CUTS: Final = (1, 2, 4, 8)
_STAGES: Final = (0, 1, 2, 3)
PARTS: Final = ("parameters", "gathered", "gradients", "optimizer", "activations")


class MemoryPlanner(StaticWidget):
    r"""Choose copies, cuts, stages, ZeRO and checkpointing, and see what each GPU holds.

    All numbers are those of :func:`llmcourse.pretraining.parallelism.plan_memory`, computed here for each layout that
    the page offers, and carried in the page in MB; it only looks them up and adds. A copy takes its share of the batch
    one sequence at a time.

    Args:
        name: The model's, as it is shown.
        config: The model.
        batch_size: Sequences in a step, of all GPUs: a multiple of 64.
        seq_len: Tokens in each.
        gpu_bytes: The memory of one GPU.
        data: How many copies, a power of two up to 64.
        tensor: In how many parts layers are cut: 1, 2, 4 or 8.
        pipeline: How many stages: 1, 2, 4 or 8.
        zero_stage: From 0 to 3.
        checkpointing: Whether the inside of blocks is computed again.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A choice is not offered, or the model cannot be cut so.

    Examples:
        >>> config = ModelConfig(vocab_size=32_000, d_model=1024, n_layers=8, n_heads=16, d_ff=2816)
        >>> planner = MemoryPlanner("small", config, batch_size=64, seq_len=1024, data=8, zero_stage=1)
        >>> planner.megabytes["optimizer"] == round(planner.plan.optimizer / 1e6)
        True
        >>> planner
        MemoryPlanner(small, 8 GPUs, 2.3 GB on each)
    """

    _esm = _HERE / "memory_planner.js"
    _css = styled(_HERE / "memory_planner.css")
    caption = "An interactive figure, the memory planner: it runs in the book's pages and in JupyterLab."

    name = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    gpu_bytes = traitlets.Float().tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    table = traitlets.List().tag(sync=True)
    data = traitlets.Int(1).tag(sync=True)
    tensor = traitlets.Int(1).tag(sync=True)
    pipeline = traitlets.Int(1).tag(sync=True)
    zero_stage = traitlets.Int(0).tag(sync=True)
    checkpointing = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        *,
        batch_size: int,
        seq_len: int,
        gpu_bytes: float = 80e9,
        data: int = 1,
        tensor: int = 1,
        pipeline: int = 1,
        zero_stage: int = 0,
        checkpointing: bool = False,
        **traits: Any,
    ) -> None:
        self.config, self.batch_size, self.seq_len = config, batch_size, seq_len
        choices = _choices(config, batch_size)
        chosen = {"data": data, "tensor": tensor, "pipeline": pipeline, "zero_stage": zero_stage}
        for key, value in chosen.items():
            if value not in choices[key]:
                offered = ", ".join(map(str, choices[key]))
                raise ValueError(f"{key} is {value}: this model and batch can have {offered}")
        table = [
            _megabytes(plan_memory(config, self._layout(d, t, p, stage, again), batch_size=batch_size, seq_len=seq_len))
            for d, t, p, stage, again in product(*choices.values(), (False, True))
        ]
        note = f"{batch_size} sequences of {seq_len:,} tokens a step, bf16 with weights, gradients and AdamW in fp32."
        super().__init__(
            name=name, note=note, gpu_bytes=gpu_bytes, choices={key: list(offer) for key, offer in choices.items()},
            table=table, checkpointing=checkpointing, **chosen, **traits,
        )  # fmt: skip

    def _layout(self, data: int, tensor: int, pipeline: int, zero_stage: int, checkpointing: int) -> Layout:
        return Layout(
            data=data,
            tensor=tensor,
            pipeline=pipeline,
            zero_stage=zero_stage,
            checkpointing=bool(checkpointing),
            n_micro_batches=self.batch_size // data,
        )

    @property
    def plan(self) -> MemoryPlan:
        """What the package says of the chosen layout."""
        chosen = self._layout(self.data, self.tensor, self.pipeline, self.zero_stage, self.checkpointing)
        return plan_memory(self.config, chosen, batch_size=self.batch_size, seq_len=self.seq_len)

    @property
    def megabytes(self) -> dict[str, int]:
        """The same by part, as the page has it."""
        return dict(zip(PARTS, _megabytes(self.plan), strict=True))

    def __repr__(self) -> str:
        n_gpus = self.data * self.tensor * self.pipeline
        total = sum(self.megabytes.values()) / 1000
        return f"MemoryPlanner({self.name}, {n_gpus} GPU{'s' if n_gpus > 1 else ''}, {total:.1f} GB on each)"


def _choices(config: ModelConfig, batch_size: int) -> dict[str, Sequence[int]]:
    """Return what a model and a batch can be cut into, in the order of the table."""
    if batch_size < 1 or batch_size % _COPIES[-1]:
        raise ValueError(f"batch_size is {batch_size}: give a multiple of {_COPIES[-1]}, so that all copies get alike")
    heads = (config.n_heads, config.n_kv_heads, config.d_ff)
    tensor = [n for n in _CUTS if not any(size % n for size in heads)]
    pipeline = [n for n in _CUTS if n <= config.n_layers and (n == 1 or not config.tie_embeddings)]
    return {"data": _COPIES, "tensor": tensor, "pipeline": pipeline, "zero_stage": _STAGES}


def _megabytes(plan: MemoryPlan) -> list[int]:
    return [round(getattr(plan, part) / 1e6) for part in PARTS]
