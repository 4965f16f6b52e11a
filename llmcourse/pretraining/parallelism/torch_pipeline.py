"""torch's pipelining: its stages and schedules, over the same cut of the model."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed import pipelining

from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.pipeline import Pipeline
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["TorchPipeline"]

_SCHEDULES = {"gpipe": pipelining.ScheduleGPipe, "1f1b": pipelining.Schedule1F1B}


class TorchPipeline(Pipeline):
    r"""A :class:`llmcourse.pretraining.Strategy`: the stages of :class:`Pipeline`, run by torch's engine.

    Args:
        schedule: "gpipe" or "1f1b".
        device: Where this process computes.
        group: The processes that take part; all by default. Their order is that of the stages.

    Raises:
        ValueError: There is no such schedule, or processes have not been joined; in ``wrap``, there are fewer layers
            than stages, or embeddings are tied.
    """

    def _run(
        self,
        stage: nn.Module,
        batches: Sequence[MicroBatch],
        weights: Sequence[float],
        loss_of: LossFunction,
        scale: float,
    ) -> Tensor:
        """Return the loss on the last stage, and 0 elsewhere."""
        if self.schedule == "1f1b" and len(batches) < self.world_size:
            raise ValueError(
                f"there are {len(batches)} micro-batches for {self.world_size} stages: "
                "torch's 1F1B needs at least as many"
            )

        def loss_fn(logits: Tensor, rows: Tensor) -> Tensor:
            # The engine cuts what it is given as a target by rows; their numbers tell which micro-batch this is.
            i = int(rows[0]) // len(batches[0].inputs)
            return loss_of.of_logits(logits, batches[i]) * (weights[i] * scale)

        # A schedule learns the shapes at its first step; here one a step, so that they may change.
        engine = pipelining.PipelineStage(stage, self.rank, self.world_size, self.device, group=self._group)
        schedule = _SCHEDULES[self.schedule](engine, len(batches), loss_fn=loss_fn, scale_grads=False)
        ids = [batch.document_ids for batch in batches if batch.document_ids is not None]
        options: dict[str, Any] = {"document_ids": torch.cat(ids)} if ids else {}
        inputs = [torch.cat([batch.inputs for batch in batches])] if self.is_first else []
        losses: list[Tensor] = []
        if self.is_last:
            options |= {"target": torch.arange(sum(len(batch.inputs) for batch in batches)), "losses": losses}
        with loss_of.autocast(self.device):
            schedule.step(*inputs, return_outputs=False, **options)
        return torch.stack(losses).sum().detach() / scale if losses else torch.zeros((), device=self.device)
