"""An explorer of learning-rate schedules: warm-up, then a cosine or a level stretch with a decay."""

from pathlib import Path
from typing import Any

import traitlets

from llmcourse.pretraining import cosine_schedule, wsd_schedule
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["ScheduleExplorer"]

_HERE = Path(__file__).parent


class ScheduleExplorer(StaticWidget):
    r"""Choose a kind of schedule, its warm-up and its decay, and see the learning rate of each step.

    The cosine is that of :func:`llmcourse.pretraining.cosine_schedule`; "wsd", warm-up, stable, decay, that of
    :func:`llmcourse.pretraining.wsd_schedule`. The cosine has no decay of its own: it falls over the whole run.

    Args:
        kind: "cosine" or "wsd".
        total_steps: Steps of the run, from 10 to a million.
        warmup_steps: Steps in which the rate rises, at most half of the run; a tenth if None.
        decay_steps: Steps in which "wsd" falls, at the end, at most half of the run; a fifth if None.
        max_lr: The greatest rate.
        min_lr: The rate at the end.
        step: Which step is marked; that in the middle if None.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is out of its range, or the kind is unknown.

    Examples:
        >>> explorer = ScheduleExplorer("wsd", total_steps=100, warmup_steps=10, decay_steps=20, max_lr=1.0, step=90)
        >>> explorer.lr(90), explorer.lr(50)
        (0.5, 1.0)
        >>> explorer
        ScheduleExplorer(wsd, 100 steps, 10 of warm-up, 20 of decay, step 90)
    """

    _esm = _HERE / "schedule_explorer.js"
    _css = styled(_HERE / "schedule_explorer.css")
    caption = "An interactive figure, the schedule explorer: it runs in the book's pages and in JupyterLab."

    kind = traitlets.Enum(("cosine", "wsd"), "cosine").tag(sync=True)
    total_steps = traitlets.Int(1000).tag(sync=True)
    warmup_steps = traitlets.Int(100).tag(sync=True)
    decay_steps = traitlets.Int(200).tag(sync=True)
    max_lr = traitlets.Float(3e-4).tag(sync=True)
    min_lr = traitlets.Float(0.0).tag(sync=True)
    step = traitlets.Int(500).tag(sync=True)

    def __init__(
        self,
        kind: str = "cosine",
        *,
        total_steps: int = 1000,
        warmup_steps: int | None = None,
        decay_steps: int | None = None,
        max_lr: float = 3e-4,
        min_lr: float = 0.0,
        step: int | None = None,
        **traits: Any,
    ) -> None:
        if kind not in ("cosine", "wsd"):
            raise ValueError(f"kind is {kind!r}: choose 'cosine' or 'wsd'")
        if not 10 <= total_steps <= 1_000_000:
            raise ValueError(f"total_steps is {total_steps}: it has to be from 10 to 1,000,000")
        warmup_steps = total_steps // 10 if warmup_steps is None else warmup_steps
        decay_steps = total_steps // 5 if decay_steps is None else decay_steps
        step = total_steps // 2 if step is None else step
        for name, value in {"warmup_steps": warmup_steps, "decay_steps": decay_steps}.items():
            if not 0 <= value <= total_steps // 2:
                raise ValueError(f"{name} is {value}: it has to be from 0 to half of total_steps, {total_steps // 2}")
        if not 0 <= step <= total_steps:
            raise ValueError(f"step is {step}: it has to be from 0 to total_steps, {total_steps}")
        if not 0 <= min_lr <= max_lr or max_lr == 0:
            raise ValueError(f"min_lr is {min_lr} and max_lr {max_lr}: take 0 <= min_lr <= max_lr, and 0 < max_lr")
        sizes = {"warmup_steps": warmup_steps, "decay_steps": decay_steps, "step": step}
        super().__init__(kind=kind, total_steps=total_steps, max_lr=max_lr, min_lr=min_lr, **sizes, **traits)

    def lr(self, step: int) -> float:
        """Return the learning rate at a step.

        Args:
            step: From 0 to ``total_steps``.

        Returns:
            The rate, as the package has it.
        """
        ends = {"max_lr": self.max_lr, "min_lr": self.min_lr, "total_steps": self.total_steps}
        if self.kind == "wsd":
            return wsd_schedule(step, warmup_steps=self.warmup_steps, decay_steps=self.decay_steps, **ends)
        return cosine_schedule(step, warmup_steps=self.warmup_steps, **ends)

    @property
    def mean_lr(self) -> float:
        """The mean rate over steps 1 to ``total_steps``, over the greatest: how far a run of it can go."""
        rates = (self.lr(step) for step in range(1, self.total_steps + 1))
        return sum(rates) / self.total_steps / self.max_lr

    def __repr__(self) -> str:
        decay = f"{self.decay_steps} of decay, " if self.kind == "wsd" else ""
        run = f"{self.total_steps} steps, {self.warmup_steps} of warm-up, {decay}step {self.step}"
        return f"ScheduleExplorer({self.kind}, {run})"
