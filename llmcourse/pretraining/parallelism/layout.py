"""How a run is laid out over GPUs: copies, cuts of a layer, stages, and the parts in which a batch is taken."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

from llmcourse.architecture import ModelConfig

__all__ = ["Layout", "layouts_of"]


@dataclass(frozen=True)
class Layout:
    r"""GPUs as data x tensor x pipeline: d, t and p of Narayanan et al. 2021 (arXiv:2104.04473).

    Attributes:
        data: Copies, each of which takes a share of the batch.
        tensor: In how many parts a layer is cut.
        pipeline: Stages.
        zero_stage: What copies do not all keep: 1 optimizer, 2 gradients, 3 weights.
        n_micro_batches: In how many parts a copy takes its share of the batch.
        schedule: The pipeline's, "1f1b" or "gpipe".
        checkpointing: Whether the inside of blocks is computed again in the backward pass.

    Raises:
        ValueError: A number is out of its range; quotes it.

    Example:
        >>> Layout(data=2, tensor=4).n_gpus, Layout(data=8, zero_stage=3).parallel
        (8, 'zero3')
    """

    _: KW_ONLY
    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    zero_stage: int = 0
    n_micro_batches: int = 1
    schedule: str = "1f1b"
    checkpointing: bool = False

    def __post_init__(self) -> None:
        for name in ("data", "tensor", "pipeline", "n_micro_batches"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it is at least 1")
        if self.zero_stage not in (0, 1, 2, 3):
            raise ValueError(f"zero_stage is {self.zero_stage}: choose 0, 1, 2 or 3")
        if self.schedule not in ("gpipe", "1f1b"):
            raise ValueError(f"schedule is {self.schedule!r}: choose 'gpipe' or '1f1b'")

    @property
    def n_gpus(self) -> int:
        """How many GPUs it takes."""
        return self.data * self.tensor * self.pipeline

    @property
    def parallel(self) -> str:
        """The name that ``llmcourse train --parallel`` has for it; empty where it is a combination."""
        names = {"data": self.data, "tensor": self.tensor, "pipeline": self.pipeline}
        cut = [name for name, size in names.items() if size > 1] or ["data"]
        if len(cut) > 1:
            return ""
        if cut == ["data"] and self.zero_stage:
            return f"zero{self.zero_stage}"
        return "gpipe" if cut == ["pipeline"] and self.schedule == "gpipe" else cut[0]

    def in_flight(self, stage: int) -> int:
        """Return of how many micro-batches a stage keeps the activations at one time."""
        if self.pipeline == 1:
            return 1
        ahead = self.n_micro_batches if self.schedule == "gpipe" else self.pipeline - stage
        return min(ahead, self.n_micro_batches)


def layouts_of(config: ModelConfig, n_gpus: int, batch_size: int) -> Iterator[Layout]:
    r"""Go through all layouts of a number of GPUs that a model and a batch can be cut for.

    Args:
        config: Whose heads, features and layers are cut.
        n_gpus: All are used.
        batch_size: Sequences in a step, of all GPUs.

    Yields:
        Layouts; of those with one copy, ZeRO's stages are left out, since they would spare nothing.

    Example:
        >>> config = ModelConfig(vocab_size=8, d_model=16, n_layers=2, n_heads=2, d_ff=32)
        >>> sorted({(layout.data, layout.tensor, layout.pipeline) for layout in layouts_of(config, 2, 4)})
        [(1, 1, 2), (1, 2, 1), (2, 1, 1)]
    """
    for tensor in _divisors(n_gpus):
        for pipeline in _divisors(n_gpus // tensor):
            data = n_gpus // tensor // pipeline
            if not _can_cut(config, tensor, pipeline) or batch_size % data:
                continue
            for zero_stage in range(4) if data > 1 else (0,):
                for n_micro_batches in _divisors(batch_size // data):
                    for checkpointing in (False, True):
                        yield Layout(
                            data=data,
                            tensor=tensor,
                            pipeline=pipeline,
                            zero_stage=zero_stage,
                            n_micro_batches=n_micro_batches,
                            checkpointing=checkpointing,
                        )


def _divisors(n: int) -> list[int]:
    return [divisor for divisor in range(1, n + 1) if n % divisor == 0]


def _can_cut(config: ModelConfig, tensor: int, pipeline: int) -> bool:
    divides = not any(size % tensor for size in (config.n_heads, config.n_kv_heads, config.d_ff))
    return divides and pipeline <= config.n_layers and (pipeline == 1 or not config.tie_embeddings)
