"""Pipeline parallelism: stages of layers, through which micro-batches pass."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.parallelism.cut_state import clip_cut_gradients
from llmcourse.pretraining.parallelism.pipeline_schedule import pipeline_actions
from llmcourse.pretraining.parallelism.pipeline_stage import PipelineStage
from llmcourse.pretraining.parallelism.processes import JoinedProcesses
from llmcourse.pretraining.parallelism.stage_state import StageState, join_stages, load_stage
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["Pipeline", "bubble_fraction"]


def bubble_fraction(n_stages: int, n_microbatches: int) -> float:
    r"""Return the share of time in which a stage of a pipeline idles.

    Huang et al. 2018 (GPipe, arXiv:1811.06965, section 2.3). 1F1B (Narayanan et al. 2019) idles as long; it keeps the
    activations of fewer micro-batches.

    Args:
        n_stages: p.
        n_microbatches: m.

    Returns:
        (p - 1) / (m + p - 1).

    Raises:
        ValueError: A number is less than 1; quotes both.

    Example:
        >>> bubble_fraction(4, 12)
        0.2
    """
    if min(n_stages, n_microbatches) < 1:
        raise ValueError(f"n_stages is {n_stages} and n_microbatches {n_microbatches}: both are at least 1")
    return (n_stages - 1) / (n_microbatches + n_stages - 1)


class Pipeline(JoinedProcesses):
    r"""A :class:`llmcourse.pretraining.Strategy`: each process has some layers, and micro-batches pass through all.

    Huang et al. 2018 (GPipe, arXiv:1811.06965) and, as "1f1b", Narayanan et al. 2021 (arXiv:2104.04473, section
    2.2.1); in which order a stage works says :func:`pipeline_actions`. All processes read the same sequences.

    Args:
        schedule: "gpipe" or "1f1b", which keeps the activations of fewer micro-batches.
        device: Where this process computes.
        group: The processes that take part; all by default. Their order is that of the stages.

    Raises:
        ValueError: There is no such schedule, or processes have not been joined; in ``wrap``, there are fewer layers
            than stages, or embeddings are tied.

    Cost: a stage sends B T D numbers to each neighbour for each sequence, the least of all strategies; it idles for
        :func:`bubble_fraction` of the time, so take several times as many micro-batches as stages.
    """

    def __init__(
        self, schedule: str = "1f1b", device: torch.device | str = "cpu", *, group: dist.ProcessGroup | None = None
    ) -> None:
        pipeline_actions(schedule, 1, 1)  # refuses what is none
        super().__init__(device, group=group)
        self.schedule = schedule
        self.is_first, self.is_last = self.rank == 0, self.rank == self.world_size - 1
        # One group for each direction: NCCL brings a pair's messages in order, and two stages that both send first,
        # one ahead and one back, would wait for each other for ever.
        self._ahead, self._back = _another(group), _another(group)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Give all processes the weights of the first, and return this process's stage."""
        stage = PipelineStage(model, self.rank, self.world_size)
        own = stage.state_dict()
        for name, tensor in model.state_dict().items():  # through the device one by one: it keeps this stage alone
            first = self.share(tensor)
            if name in own:
                own[name].copy_(first)
        return stage.to(self.device)

    def backward(
        self, model: nn.Module, batches: Sequence[MicroBatch], loss_of: LossFunction, *, scale: float = 1.0
    ) -> Float[Tensor, ""]:
        """Take all micro-batches forward and back through this stage, in the schedule's order."""
        counts = [batch.n_kept for batch in batches]
        weights = [count / max(sum(counts), 1) for count in counts]
        return self._from_last(self._run(model, batches, weights, loss_of, scale))

    def _run(
        self,
        stage: nn.Module,
        batches: Sequence[MicroBatch],
        weights: Sequence[float],
        loss_of: LossFunction,
        scale: float,
    ) -> Tensor:
        """Return the loss on the last stage, and 0 elsewhere."""
        total, kept, returning = torch.zeros((), device=self.device), {}, []
        for kind, i in pipeline_actions(self.schedule, self.world_size, len(batches))[self.rank]:
            if kind == "forward":
                x = self._input(stage, batches[i])
                y, sending = self._go_on(stage, x, batches[i], loss_of), None
                if self.is_last:
                    y = y * weights[i]
                    total += y.detach()
                else:
                    sending = y.detach(), dist.isend(y.detach(), group=self._ahead, group_dst=self.rank + 1)
                kept[i] = x, y, sending
            else:
                x, y, sending = kept.pop(i)  # what was sent has arrived, since its gradient comes back
                y.backward(torch.full_like(y, scale) if self.is_last else self._gradient(y))
                if not self.is_first:
                    gradient = x.grad.contiguous()
                    returning.append((gradient, dist.isend(gradient, group=self._back, group_dst=self.rank - 1)))
        for _, work in returning:
            work.wait()
        return total

    def _input(self, stage: nn.Module, batch: MicroBatch) -> Tensor:
        if self.is_first:
            return batch.inputs
        assert isinstance(stage, PipelineStage)
        x = torch.empty(*batch.inputs.shape, stage.width, dtype=stage.dtype, device=self.device)
        dist.recv(x, group=self._ahead, group_src=self.rank - 1)
        return x.requires_grad_(torch.is_grad_enabled())

    def _gradient(self, y: Tensor) -> Tensor:
        gradient = torch.empty_like(y)
        dist.recv(gradient, group=self._back, group_src=self.rank + 1)
        return gradient

    def _go_on(self, stage: nn.Module, x: Tensor, batch: MicroBatch, loss_of: LossFunction) -> Tensor:
        with loss_of.autocast(self.device):
            y = stage(x, batch.document_ids)
        return loss_of.of_logits(y, batch) if self.is_last else y.contiguous()

    def _from_last(self, loss: Tensor) -> Tensor:
        dist.broadcast(loss, group_src=self.world_size - 1, group=self._group)
        return loss

    @torch.no_grad()
    def forward(self, model: nn.Module, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Pass a batch through all stages."""
        y = self._go_on(model, self._input(model, batch), batch, loss_of)
        if self.is_last:
            return self._from_last(y)
        dist.send(y, group=self._ahead, group_dst=self.rank + 1)
        return self._from_last(torch.zeros((), device=self.device))

    def clip(self, model: nn.Module, max_norm: float) -> Float[Tensor, ""]:
        """Clip by the norm over all stages."""
        return clip_cut_gradients(model.parameters(), [], max_norm, self.add_up)

    def state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return both states, put together in the main process; the others return nothing."""
        own = StageState.of(model, optimizer)
        stages: list[Any] | None = [None] * self.world_size if self.is_main else None
        dist.gather_object(own, stages, group_dst=0, group=self._group)
        return {} if stages is None else join_stages(stages)

    def load_state_dict(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take this stage's part of both states in."""
        groups: list[Any] = [None] * self.world_size
        dist.all_gather_object(groups, StageState.of(model, optimizer).groups, group=self._group)
        load_stage(model, optimizer, state, groups)


def _another(group: dist.ProcessGroup | None) -> dist.ProcessGroup:
    """Make another group of the same processes; those that are in none of them take no part."""
    ranks = dist.get_process_group_ranks(group or dist.group.WORLD)
    made = dist.new_group(ranks, use_local_synchronization=True)
    assert isinstance(made, dist.ProcessGroup)
    return made
