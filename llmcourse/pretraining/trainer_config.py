"""What a training run is made from: a frozen record that checks itself, and is stored in each checkpoint."""

from dataclasses import KW_ONLY, asdict, dataclass
from typing import Any

from llmcourse.pretraining.schedule import cosine_schedule, wsd_schedule

__all__ = ["TrainerConfig"]

# What may differ between a run and the one that goes on with it: none of these changes a loss.
_FREE = frozenset({"checkpoint_every", "validate_every", "keep", "validation_batches"})


@dataclass(frozen=True)
class TrainerConfig:
    r"""The settings of a run.

    Attributes:
        total_steps: Steps of the optimizer.
        batch_size: Sequences in a step, of all processes together.
        seq_len: Tokens in each.
        max_lr: The learning rate after the warm-up.
        min_lr: The rate at the end; a tenth of ``max_lr`` is usual.
        warmup_steps: Steps in which the rate rises.
        schedule: "cosine", or "wsd": warm-up, stable, decay.
        decay_steps: How long "wsd" decays, at the end.
        betas: AdamW's.
        weight_decay: Of matrices; vectors (norms, biases) are not decayed.
        max_norm: The greatest norm of the gradients; infinity clips nothing.
        n_micro_batches: In how many parts a process takes its share of a batch, for want of memory.
        precision: "fp32", "bf16" or "fp16"; weights are in fp32 in any case.
        z_weight: The weight of the z-loss.
        seed: Of the order of the batches.
        validate_every: Steps between validations.
        validation_batches: How many batches of the held-out text are looked at; None is all.
        checkpoint_every: Steps between checkpoints; there is one at the end, too.
        keep: How many checkpoints stay.

    Raises:
        ValueError: A number is out of its range, or two do not fit together; quotes them.

    Example:
        >>> config = TrainerConfig(total_steps=100, batch_size=8, seq_len=64, max_lr=1.0, warmup_steps=10)
        >>> [round(config.lr(step), 2) for step in (0, 9, 99)]  # the first step moves already
        [0.1, 1.0, 0.0]
    """

    _: KW_ONLY
    total_steps: int
    batch_size: int
    seq_len: int
    max_lr: float
    min_lr: float = 0.0
    warmup_steps: int = 0
    schedule: str = "cosine"
    decay_steps: int = 0
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.1
    max_norm: float = 1.0
    n_micro_batches: int = 1
    precision: str = "fp32"
    z_weight: float = 0.0
    seed: int = 0
    validate_every: int = 250
    validation_batches: int | None = None
    checkpoint_every: int = 1000
    keep: int = 2

    def __post_init__(self) -> None:
        counts = (
            "total_steps",
            "batch_size",
            "seq_len",
            "n_micro_batches",
            "validate_every",
            "checkpoint_every",
            "keep",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it is at least 1")
        if self.schedule not in ("cosine", "wsd"):
            raise ValueError(f"schedule is {self.schedule!r}: choose 'cosine' or 'wsd'")
        if self.batch_size % self.n_micro_batches:
            raise ValueError(
                f"batch_size is {self.batch_size} and n_micro_batches {self.n_micro_batches}: "
                "the second divides the first"
            )
        if self.validation_batches is not None and self.validation_batches < 1:
            raise ValueError(f"validation_batches is {self.validation_batches}: it is at least 1, or None for all")
        if not self.max_norm > 0:
            raise ValueError(f"max_norm is {self.max_norm}: it has to be greater than 0; infinity clips nothing")
        self.lr(0)  # the schedule checks its numbers

    def lr(self, step: int) -> float:
        """Return the learning rate with which a step, counted from 0, is made."""
        lengths = {"warmup_steps": self.warmup_steps, "total_steps": self.total_steps}
        if self.schedule == "wsd":
            lengths["decay_steps"] = self.decay_steps
            return wsd_schedule(step + 1, max_lr=self.max_lr, min_lr=self.min_lr, **lengths)
        return cosine_schedule(step + 1, max_lr=self.max_lr, min_lr=self.min_lr, **lengths)

    def check_resumes(self, stored: dict[str, Any], step: int) -> None:
        """Refuse to go on with a checkpoint whose losses this run would not have given.

        Args:
            stored: The settings in the checkpoint.
            step: How many steps it has made.

        Raises:
            ValueError: A setting differs; quotes both. A longer "wsd" run may go on before its decay begins.
        """
        free = _FREE
        begins = stored["total_steps"] - stored["decay_steps"]
        if self.schedule == "wsd" and step <= min(begins, self.total_steps - self.decay_steps):
            free = free | {"total_steps", "decay_steps"}
        for name, value in asdict(self).items():
            before = stored.get(name)
            before = tuple(before) if isinstance(before, list) else before
            if name not in free and value != before:
                raise ValueError(
                    f"{name} is {value!r}, but the checkpoint of step {step} was made with {before!r}: "
                    "give the same settings to go on with it, or another folder to begin anew"
                )
