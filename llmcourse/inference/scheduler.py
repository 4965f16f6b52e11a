"""Who reads how many tokens in the next step: continuous batching, with admission and preemption by free blocks."""

from collections import deque
from dataclasses import KW_ONLY, dataclass

from llmcourse.inference.block_tables import BlockTables
from llmcourse.inference.request import Request

__all__ = ["Scheduler", "StepReport"]


@dataclass(frozen=True)
class StepReport:
    r"""What one step did, for those who draw or watch it.

    Attributes:
        n_running: Requests that hold blocks after the step.
        n_waiting: Requests that hold none.
        n_decoded: Requests that read one token.
        n_prefilled: Tokens that were read in chunks.
        n_used_blocks: Blocks that are held.
        n_cached_blocks: Blocks that are held by nobody, and could be found again.
        n_preemptions: Since the engine was made.
    """

    _: KW_ONLY
    n_running: int
    n_waiting: int
    n_decoded: int
    n_prefilled: int
    n_used_blocks: int
    n_cached_blocks: int
    n_preemptions: int


class Scheduler:
    r"""Decides before each step which requests take part in it.

    A request joins as soon as there is room, and leaves with its last token; none waits for a batch to be complete or
    to end (iteration-level scheduling: Yu et al. 2022, Orca, OSDI 2022). Who writes comes first, with one token each;
    what is left of the step's tokens goes to those who still read their prompt, in chunks, so that a long prompt holds
    nobody up (Agrawal et al. 2023, SARATHI, arXiv:2308.16369). If blocks run out, the request that came last gives up
    its own, waits first in the queue, and is read anew later (recomputation, as in vLLM, arXiv:2309.06180).

    There is bookkeeping alone in here, no tensor: a simulation can use it without a model.

    Args:
        tables: The blocks that there are.
        max_batch_size: Requests in a step, at most.
        max_step_tokens: Tokens in a step, at most; a step with a full chunk takes longer, and who writes waits for it.

    Attributes:
        waiting: Requests that have no blocks, in the order in which they will be admitted.
        running: Those that have, in the order of their admission.
        n_preemptions: So far.

    Raises:
        ValueError: A size is below 1, or writers alone would exceed the step's tokens.

    Example:
        >>> from llmcourse.inference.request import SamplingParams
        >>> scheduler = Scheduler(BlockTables(64), max_step_tokens=32, max_batch_size=8)
        >>> for i, n_tokens in enumerate((20, 40)):
        ...     scheduler.add(Request.make(i, [0] * n_tokens, SamplingParams()))
        >>> {request.request_id: n for request, n in scheduler.plan().items()}
        {0: 20, 1: 12}
    """

    def __init__(self, tables: BlockTables, *, max_batch_size: int = 32, max_step_tokens: int = 256) -> None:
        if max_batch_size < 1 or max_step_tokens < max_batch_size:
            raise ValueError(
                f"max_batch_size is {max_batch_size} and max_step_tokens is {max_step_tokens}: give 1 request or more, "
                "and at least 1 token for each"
            )
        self.tables, self.max_batch_size, self.max_step_tokens = tables, max_batch_size, max_step_tokens
        self.waiting: deque[Request] = deque()
        self.running: list[Request] = []
        self.n_preemptions = 0

    def add(self, request: Request) -> None:
        """Let a request wait for its turn.

        Args:
            request: A new one.
        """
        self.waiting.append(request)

    def plan(self) -> dict[Request, int]:
        r"""Admit and preempt, and say what is read in the next step. The tables have room for all of it.

        Returns:
            For each request that takes part, how many of its unread tokens; empty if there is nothing to do.
        """
        plan = self._plan_running()
        preempted = False
        while self.tables.n_needed(self._by_sequence(plan)) > self.tables.allocator.n_free:
            plan.pop(self._preempt(), None)
            preempted = True
        if not preempted:
            self._admit(plan)
        return plan

    @staticmethod
    def passes(plan: dict[Request, int]) -> list[dict[Request, int]]:
        """Put requests that read about equally much into one pass, so that no more than a fifth of it is padding.

        Args:
            plan: Of a step.

        Returns:
            Parts of the plan, those who write first.
        """
        groups: list[dict[Request, int]] = []
        for request, n_tokens in sorted(plan.items(), key=lambda pair: pair[1]):
            n_real = n_tokens + sum(groups[-1].values()) if groups else 0
            if not groups or (len(groups[-1]) + 1) * n_tokens * 4 > n_real * 5:
                groups.append({})
            groups[-1][request] = n_tokens
        return groups

    def remove(self, request: Request) -> None:
        """Take a request out, wherever it is, and give back its blocks.

        Args:
            request: It has ended, or is to.
        """
        if request.sequence is not None:
            self.tables.close(request.sequence)
            request.sequence = None
            self.running.remove(request)
        else:
            self.waiting.remove(request)

    def report(self, n_decoded: int, n_prefilled: int) -> StepReport:
        """Describe the step that was just taken.

        Args:
            n_decoded: See :class:`StepReport`.
            n_prefilled: Likewise.

        Returns:
            The report.
        """
        return StepReport(
            n_running=len(self.running),
            n_waiting=len(self.waiting),
            n_decoded=n_decoded,
            n_prefilled=n_prefilled,
            n_used_blocks=self.tables.allocator.n_used,
            n_cached_blocks=self.tables.allocator.n_cached,
            n_preemptions=self.n_preemptions,
        )

    def _plan_running(self) -> dict[Request, int]:
        plan, left = {}, self.max_step_tokens
        for request in sorted(self.running, key=lambda request: request.n_unread > 1):
            n_tokens = min(request.n_unread, left)
            if n_tokens:
                plan[request] = n_tokens
                left -= n_tokens
        return plan

    def _admit(self, plan: dict[Request, int]) -> None:
        left = self.max_step_tokens - sum(plan.values())
        while self.waiting and left and len(self.running) < self.max_batch_size:
            request = self.waiting[0]
            sequence = request.sequence = self.tables.open(request.tokens)
            request.n_read = self.tables.n_tokens(sequence)
            # All running ones will read to the end of what they have; each may soon want one block more, to write on.
            wanted = {request: request.n_unread for request in [*self.running, request]}
            if self.tables.n_needed(self._by_sequence(wanted)) + len(self.running) > self.tables.allocator.n_free:
                self.tables.close(sequence)
                request.sequence, request.n_read = None, 0
                return
            self.running.append(self.waiting.popleft())
            plan[request] = min(request.n_unread, left)
            left -= plan[request]

    def _preempt(self) -> Request:
        request = self.running.pop()
        assert request.sequence is not None and self.running, "one request alone has to fit"
        self.tables.close(request.sequence)
        request.sequence, request.n_read = None, 0
        request.n_preempted += 1
        self.n_preemptions += 1
        self.waiting.appendleft(request)
        return request

    def _by_sequence(self, plan: dict[Request, int]) -> dict[int, int]:
        return {request.sequence: n for request, n in plan.items() if request.sequence is not None}
