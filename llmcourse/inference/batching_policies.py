"""Static and continuous batching without a model: what each would do with a trace, by what a step costs."""

from collections import deque
from dataclasses import KW_ONLY, dataclass

from llmcourse.inference.arrival_trace import Arrival
from llmcourse.inference.block_tables import BlockTables
from llmcourse.inference.request import Request, SamplingParams
from llmcourse.inference.scheduler import Scheduler
from llmcourse.inference.serving_report import ServedStep

__all__ = ["SimulatedContinuousBatching", "SimulatedStaticBatching", "StepCost"]


@dataclass(frozen=True)
class StepCost:
    r"""How long a step takes: what every step costs, and what each token adds.

    To read the weights takes as long for one row as for many; that is why there are batches at all. On a GPU the first
    term rules until some hundreds of tokens are read at a time.

    Attributes:
        step_s: Seconds for a step, whatever it reads.
        token_s: Seconds for each token that is read, padding and finished rows among them.
    """

    _: KW_ONLY
    step_s: float
    token_s: float

    def seconds(self, n_tokens: int) -> float:
        """Return how long it takes to read so many tokens at a time."""
        return self.step_s + self.token_s * n_tokens


class SimulatedStaticBatching:
    r"""Batches of fixed members: whoever waits when one begins, each row computed until the longest answer is complete.

    Prompts are read together, padded to the longest.

    Args:
        cost: Of a step.
        batch_size: Requests in a batch, at most.

    Example:
        >>> from llmcourse.inference.arrival_trace import arrival_trace
        >>> from llmcourse.inference.serving_report import replay
        >>> trace = arrival_trace(400, rate_per_s=50.0, seed=0)
        >>> cost = StepCost(step_s=0.01, token_s=1e-4)
        >>> static = replay(trace, SimulatedStaticBatching(cost, batch_size=16), batch_size=16)
        >>> continuous = replay(trace, SimulatedContinuousBatching(cost, batch_size=16), batch_size=16)
        >>> f"{static.tokens_per_s:.0f}, {continuous.tokens_per_s:.0f} tokens/s"
        '305, 1077 tokens/s'
    """

    def __init__(self, cost: StepCost, *, batch_size: int) -> None:
        self.cost, self.batch_size = cost, batch_size
        self._waiting: deque[tuple[int, Arrival]] = deque()
        self._left: dict[int, int] = {}  # of each member of the batch, tokens that its answer lacks

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return bool(self._waiting or self._left)

    def submit(self, request: int, arrival: Arrival) -> None:
        """Let a request wait for the next batch."""
        self._waiting.append((request, arrival))

    def step(self) -> ServedStep:
        """Begin a batch, or let each row of the one that runs have another token."""
        width = 1
        if not self._left:
            batch = [self._waiting.popleft() for _ in range(min(self.batch_size, len(self._waiting)))]
            self._left = {request: arrival.n_new for request, arrival in batch}
            width = max(arrival.n_prompt for _, arrival in batch)
        n_rows, writing = len(self._left), [request for request, n in self._left.items() if n > 0]
        for request in writing:
            self._left[request] -= 1
        if not any(self._left.values()):
            self._left = {}
        seconds = self.cost.seconds(n_rows * width)
        return ServedStep(seconds=seconds, tokens=writing, n_rows=n_rows, n_useful=len(writing))


class SimulatedContinuousBatching:
    r"""The engine's own scheduler, with a step's cost in place of a model.

    Args:
        cost: Of a step.
        batch_size: Requests in a step, at most.
        n_blocks: Of the cache.
        block_size: Tokens in a block.
        max_step_tokens: Tokens in a step, at most.
    """

    def __init__(
        self,
        cost: StepCost,
        *,
        batch_size: int,
        n_blocks: int = 4096,
        block_size: int = 16,
        max_step_tokens: int = 256,
    ) -> None:
        self.cost, tables = cost, BlockTables(n_blocks, block_size=block_size)
        self.scheduler = Scheduler(tables, max_batch_size=batch_size, max_step_tokens=max_step_tokens)

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return bool(self.scheduler.waiting or self.scheduler.running)

    def submit(self, request: int, arrival: Arrival) -> None:
        """Let a request wait for its turn."""
        params = SamplingParams(max_new_tokens=arrival.n_new, temperature=0.0)
        self.scheduler.add(Request.make(request, [0] * arrival.n_prompt, params))

    def step(self) -> ServedStep:
        """Take a step as the scheduler plans it; who has been read to the end gets a token."""
        plan, tables = self.scheduler.plan(), self.scheduler.tables
        tables.extend({request.sequence: n for request, n in plan.items() if request.sequence is not None})
        writing: list[int] = []
        for request, n_tokens in plan.items():
            request.n_read += n_tokens
            if not request.n_unread:
                writing.append(request.add(0).request_id)
            if request.finish_reason is not None:
                self.scheduler.remove(request)
        return ServedStep(
            seconds=self.cost.seconds(sum(plan.values())),
            tokens=writing,
            n_rows=len(plan),
            n_useful=len(plan),
            n_used_blocks=tables.allocator.n_used,
        )
