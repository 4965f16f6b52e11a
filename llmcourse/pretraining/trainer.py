"""The trainer: a run that can be watched, stopped, killed and resumed, on one process or on many."""

import math
import time
import zlib
from collections.abc import Iterator
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from llmcourse.pretraining.adamw import AdamW
from llmcourse.pretraining.batch_stream import BatchStream
from llmcourse.pretraining.checkpoints import latest_checkpoint, load_checkpoint, save_checkpoint
from llmcourse.pretraining.loss_guard import LossGuard
from llmcourse.pretraining.loss_scaler import LossScaler
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.next_token import NextToken
from llmcourse.pretraining.strategy import SingleProcess, Strategy
from llmcourse.pretraining.trainer_config import TrainerConfig

__all__ = ["Step", "Trainer"]


@dataclass(frozen=True)
class Step:
    """What is known of a step when it is made.

    Attributes:
        number: From 1.
        loss: Before the step, in nats a token, over the batches of all processes.
        lr: The learning rate.
        gradient_norm: Before clipping.
        seconds: How long it took, with the loading of its batch.
        tokens: How many it was made from.
        skipped: Gradients overflowed in FP16, so that no weight was changed.
        validation_loss: On the held-out text, where it is this step's turn.
    """

    _: KW_ONLY
    number: int
    loss: float
    lr: float
    gradient_norm: float
    seconds: float
    tokens: int
    skipped: bool = False
    validation_loss: float | None = None


class Trainer:
    r"""Trains a model on a text, and can go on with a run that ended at any moment, bit for bit.

    What a checkpoint holds is all that the next step depends on: weights, averages of the optimizer, the number of
    steps (and so the learning rate), the place in the data, the loss scale, and the state of torch's random numbers.

    Attributes:
        model: The model, as the strategy has it.
        step: How many steps were made.

    Args:
        model: Gives logits for tokens.
        tokens: The text to train on.
        config: The settings.
        validation: A text held out.
        folder: Where checkpoints are; None writes none.
        strategy: How the work is spread over processes; one alone, on the CPU, by default.
        guard: What stops a run that has gone wrong; None for the usual.

    Raises:
        ValueError: A text is too short, has ids that the model does not know, or a setting does not fit the strategy.

    Example:
        >>> from llmcourse.architecture import ModelConfig, Transformer
        >>> model = Transformer(ModelConfig(vocab_size=4, d_model=16, n_layers=1, n_heads=2))
        >>> config = TrainerConfig(total_steps=30, batch_size=8, seq_len=16, max_lr=1e-2, warmup_steps=3)
        >>> steps = list(Trainer(model, torch.arange(2000) % 4, config).steps())
        >>> steps[-1].loss < 0.5 < 1.2 < steps[0].loss
        True
    """

    def __init__(
        self,
        model: nn.Module,
        tokens: Int[Tensor, " n_tokens"],
        config: TrainerConfig,
        *,
        validation: Int[Tensor, " n_held_out"] | None = None,
        folder: str | Path | None = None,
        strategy: Strategy | None = None,
        guard: LossGuard | None = None,
    ) -> None:
        self.strategy: Strategy = strategy or SingleProcess()
        self.config, self.folder, self.step = config, None if folder is None else Path(folder), 0
        for text in (tokens, validation):
            _check_ids(model, text)
        if config.precision == "fp16" and self.strategy.world_size > 1:
            raise ValueError(f"precision is 'fp16' on {self.strategy.world_size} processes: use 'bf16'")
        self._text = _fingerprint(tokens)
        self._stream = self._batches(tokens)
        self._validation = None if validation is None else self._batches(validation)
        self.model = self.strategy.wrap(model)
        self.optimizer = _adamw(self.model, config)
        self._objective = NextToken(precision=config.precision, z_weight=config.z_weight)
        self._scaler = LossScaler() if config.precision == "fp16" else None
        self._guard, self._stopping = guard or LossGuard(), False

    def steps(self) -> Iterator[Step]:
        """Make step after step, and write checkpoints, until the last step or until ``stop`` was called.

        Yields:
            Each step when it is made; what is done between two of them is the caller's.

        Raises:
            TrainingStopped: The loss is not usable; the weights and the last checkpoint are those of before.
        """
        saved = self.step
        while self.step < self.config.total_steps and not self.strategy.any(self._stopping):
            made = self._make_step()
            if self.folder is not None and self.step % self.config.checkpoint_every == 0:
                self.save()
                saved = self.step
            yield made
        if self.folder is not None and saved != self.step:
            self.save()

    def stop(self) -> None:
        """End after the step that is being made, with a checkpoint: what a signal's handler calls."""
        self._stopping = True

    def validate(self) -> float:
        """Return the mean loss on the held-out text, in nats a token; NaN where there is none."""
        if self._validation is None:
            return math.nan
        stream, limit = self._validation, self.config.validation_batches
        stream.load_state_dict({"position": 0})  # the same batches each time
        total = torch.zeros(2, dtype=torch.float64)
        self.model.eval()
        for _ in range(min(stream.batches_per_epoch, limit or stream.batches_per_epoch)):
            batch = next(stream).to(self.strategy.device)
            loss = self.strategy.forward(self.model, batch, self._objective)
            total += torch.tensor([float(loss) * batch.n_kept, batch.n_kept], dtype=torch.float64)
        self.model.train()
        nats, n_tokens = self.strategy.reduce_sum(total).tolist()
        return nats / n_tokens

    def save(self) -> None:
        """Write a checkpoint now; all processes take part."""
        state = self.strategy.state_dict(self.model, self.optimizer)
        if self.folder is None or not self.strategy.is_main:
            return
        state |= {"config": asdict(self.config), "text": self._text, "step": self.step, **self._small_states()}
        save_checkpoint(state, self.folder, self.step, keep=self.config.keep)

    def resume(self) -> int:
        """Go on with the latest checkpoint in the folder.

        Returns:
            How many steps it has made; 0 where there is none.

        Raises:
            ValueError: It was made with other settings, from another text, or is damaged.
        """
        path = None if self.folder is None else latest_checkpoint(self.folder)
        if path is None:
            return 0
        state = load_checkpoint(path)
        self.config.check_resumes(state["config"], state["step"])
        if state["text"] != self._text:
            raise ValueError(f"{str(path)!r} was trained on another text: give the same one, or another folder")
        self.strategy.load_state_dict(self.model, self.optimizer, state)
        self._stream.load_state_dict(state["stream"])
        self._guard.load_state_dict(state["guard"])
        if self._scaler is not None:
            self._scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"])
        if "random_cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        self.step = state["step"]
        return self.step

    def _small_states(self) -> dict[str, Any]:
        states = {"stream": self._stream.state_dict(), "guard": self._guard.state_dict()}
        states["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            states["random_cuda"] = torch.cuda.get_rng_state_all()
        if self._scaler is not None:
            states["scaler"] = self._scaler.state_dict()
        return states

    def _make_step(self) -> Step:
        begun, lr = time.perf_counter(), self.config.lr(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss, skipped = self._gradients(next(self._stream).to(self.strategy.device))
        norm = math.inf if skipped else float(self.strategy.clip(self.model, self.config.max_norm))
        self._guard.look(self.step + 1, loss, 0.0 if skipped else norm)
        if not skipped:
            for group in self.optimizer.param_groups:
                group["lr"] = lr
            self.optimizer.step()
        self.step += 1
        seconds = time.perf_counter() - begun
        last = self.step == self.config.total_steps
        due = self._validation is not None and (last or self.step % self.config.validate_every == 0)
        return Step(
            number=self.step,
            loss=loss,
            lr=lr,
            gradient_norm=norm,
            seconds=seconds,
            tokens=self.config.batch_size * self.config.seq_len,
            skipped=skipped,
            validation_loss=self.validate() if due else None,
        )

    def _gradients(self, batch: MicroBatch) -> tuple[float, bool]:
        """Fill ``.grad``; returns the loss, and whether gradients overflowed in FP16."""
        parts = list(batch.split(self.config.n_micro_batches))
        if self._scaler is None:
            return float(self.strategy.backward(self.model, parts, self._objective)), False
        loss = self.strategy.backward(self.model, parts, self._objective, scale=self._scaler.scale)
        return float(loss), not self._scaler.unscale(self.model.parameters())

    def _batches(self, tokens: Tensor) -> BatchStream:
        return BatchStream(
            tokens,
            batch_size=self.config.batch_size,
            seq_len=self.config.seq_len,
            seed=self.config.seed,
            data_rank=self.strategy.data_rank,
            data_size=self.strategy.data_size,
        )


def _adamw(model: nn.Module, config: TrainerConfig) -> AdamW:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=config.max_lr, betas=config.betas)


def _check_ids(model: nn.Module, tokens: Tensor | None) -> None:
    vocab_size = getattr(getattr(model, "config", None), "vocab_size", None)
    if tokens is None or vocab_size is None or not len(tokens):
        return
    largest = int(tokens.max())
    if largest >= vocab_size:
        raise ValueError(f"the text has the id {largest}, the model a vocabulary of {vocab_size}: make it larger")


def _fingerprint(tokens: Tensor) -> list[int]:
    """Return the text's length and a checksum of its beginning: enough to tell one text from another."""
    return [len(tokens), zlib.crc32(tokens[:1_000_000].to(torch.int64).cpu().numpy().tobytes())]
