"""Watching the loss of a run: what is no number, or leaps, stops it before the weights are spoiled."""

import math
from collections import deque
from statistics import median

__all__ = ["LossGuard", "TrainingStopped"]

_LOOK_AT = (
    "look at this step's batch (one document repeated, the wrong tokenizer), at the learning rate and the warm-up "
    "(too high or too short), at clipping, and at the precision (fp16 without loss scaling)"
)


class TrainingStopped(RuntimeError):
    """A run was stopped because its loss is not usable; the message says what to look at."""


class LossGuard:
    r"""Stops a run whose loss or gradient is not finite, or whose loss stays far above what it was.

    One bad batch is no reason to stop: its gradient is clipped. Chowdhery et al. 2022 (PaLM, arXiv:2204.02311, section
    5.1) saw spikes that did not come from the data alone, and went back to a checkpoint some hundred steps before.

    Args:
        window: Over how many steps the usual loss is taken, as their median.
        spike_nats: How far above it the loss counts as a spike.
        patience: How many steps in a row of a spike stop the run.

    Raises:
        ValueError: A number is out of its range; quotes it.

    Example:
        >>> guard = LossGuard(window=4, patience=1)
        >>> for step, loss in enumerate([3.0, 2.9, 2.8, 2.7, 2.7]):
        ...     guard.look(step, loss)
        >>> guard.look(5, 9.0)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        llmcourse.pretraining.loss_guard.TrainingStopped: the loss is 9.0000 at step 5, 6.2500 above ...
    """

    def __init__(self, *, window: int = 50, spike_nats: float = 2.0, patience: int = 5) -> None:
        if window < 1 or patience < 1 or not spike_nats > 0:
            raise ValueError(
                f"window is {window}, patience {patience} and spike_nats {spike_nats}: "
                "the first two are at least 1, the last is greater than 0"
            )
        self._usual: deque[float] = deque(maxlen=window)
        self._spike_nats, self._patience, self._in_a_row = spike_nats, patience, 0

    def look(self, step: int, loss: float, gradient_norm: float = 0.0) -> None:
        """Look at a step before the optimizer makes it.

        Args:
            step: Its number.
            loss: Its loss, in nats a token.
            gradient_norm: The norm of its gradients before clipping.

        Raises:
            TrainingStopped: The run should not go on; says why, and what to look at.
        """
        if not math.isfinite(loss):
            raise TrainingStopped(f"the loss is {loss} at step {step}: {_LOOK_AT}")
        if not math.isfinite(gradient_norm):
            raise TrainingStopped(f"the loss is {loss:.4f} but the gradient {gradient_norm} at step {step}: {_LOOK_AT}")
        full = len(self._usual) == self._usual.maxlen
        above = loss - median(self._usual) if full else 0.0
        self._in_a_row = self._in_a_row + 1 if above > self._spike_nats else 0
        if self._in_a_row >= self._patience:
            raise TrainingStopped(
                f"the loss is {loss:.4f} at step {step}, {above:.4f} above the median of the {len(self._usual)} steps "
                f"before, for {self._in_a_row} steps: {_LOOK_AT}"
            )
        # A spike is not usual: it would hide the next.
        if not self._in_a_row:
            self._usual.append(loss)

    def state_dict(self) -> dict[str, list[float] | int]:
        """Return what a resumed run needs to judge as this one would have."""
        return {"usual": list(self._usual), "in_a_row": self._in_a_row}

    def load_state_dict(self, state: dict) -> None:
        """Take in what ``state_dict`` returned."""
        self._usual = deque(state["usual"], maxlen=self._usual.maxlen)
        self._in_a_row = int(state["in_a_row"])
