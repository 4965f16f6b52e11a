"""Static and continuous batching with a model, each step timed: what is claimed of them is measured by these."""

import random
import time
from collections import deque

import numpy as np
import torch
from torch import Tensor

from llmcourse.architecture import Transformer
from llmcourse.inference.arrival_trace import Arrival
from llmcourse.inference.batching_policies import StepCost
from llmcourse.inference.engine import Engine
from llmcourse.inference.kv_cache import KVCache, left_pad
from llmcourse.inference.request import SamplingParams
from llmcourse.inference.scheduler import StepReport
from llmcourse.inference.serving_report import ServedStep

__all__ = ["ContinuousBatching", "StaticBatching", "measure_step_cost"]


def _prompt(request: int, n_tokens: int, vocab_size: int) -> list[int]:
    draw = random.Random(request)
    return [draw.randrange(vocab_size) for _ in range(n_tokens)]


class ContinuousBatching:
    r"""An engine that is sent a trace, with random prompts and greedy answers of the lengths that the trace asks for.

    Args:
        model: Any; of what it says only the length counts.
        batch_size: Requests in a step, at most.
        n_blocks: Of the cache.
        block_size: Tokens in a block.
        max_step_tokens: Tokens in a step, at most.
    """

    def __init__(
        self,
        model: Transformer,
        *,
        batch_size: int,
        n_blocks: int = 1024,
        block_size: int = 16,
        max_step_tokens: int = 256,
    ) -> None:
        self._last: StepReport | None = None
        self.engine = Engine(
            model,
            n_blocks=n_blocks,
            block_size=block_size,
            max_batch_size=batch_size,
            max_step_tokens=max_step_tokens,
            observer=self._observe,
        )
        self._places: dict[int, int] = {}

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return self.engine.has_work

    def submit(self, request: int, arrival: Arrival) -> None:
        """Let a request wait for its turn."""
        prompt = _prompt(request, arrival.n_prompt, self.engine.model.config.vocab_size)
        params = SamplingParams(max_new_tokens=arrival.n_new, temperature=0.0)
        self._places[self.engine.submit(prompt, params)] = request

    def step(self) -> ServedStep:
        """Take a step of the engine, by the clock on the wall."""
        begin = time.perf_counter()
        events = self.engine.step()
        seconds = time.perf_counter() - begin
        assert self._last is not None
        n_rows = self._last.n_running + sum(event.finish_reason is not None for event in events)
        return ServedStep(
            seconds=seconds,
            tokens=[self._places[event.request_id] for event in events],
            n_rows=n_rows,
            n_useful=n_rows,
            n_used_blocks=self._last.n_used_blocks,
        )

    def _observe(self, report: StepReport) -> None:
        self._last = report


class StaticBatching:
    r"""Batches of fixed members over a contiguous cache: all begin together, and end with the longest answer.

    Args:
        model: Any.
        batch_size: Requests in a batch, at most.
    """

    def __init__(self, model: Transformer, *, batch_size: int) -> None:
        self.model, self.batch_size = model, batch_size
        self._waiting: deque[tuple[int, Arrival]] = deque()
        self._left: dict[int, int] = {}  # of each member of the batch, tokens that its answer lacks
        self._cache: KVCache | None = None
        self._last: Tensor | None = None

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return bool(self._waiting or self._left)

    def submit(self, request: int, arrival: Arrival) -> None:
        """Let a request wait for the next batch."""
        self._waiting.append((request, arrival))

    @torch.no_grad()
    def step(self) -> ServedStep:
        """Begin a batch, or let each of its rows have another token, by the clock on the wall."""
        begin = time.perf_counter()
        if self._last is None or self._cache is None:
            tokens, positions = self._begin()
        else:
            tokens, positions = self._last, self._cache.lengths[:, None]
        hidden = self.model.hidden(tokens, cache=self._cache, positions=positions)
        drawn = self.model.output(hidden[:, -1]).argmax(-1, keepdim=True)
        drawn.tolist()  # as whoever streams the tokens has to
        seconds = time.perf_counter() - begin
        n_rows, writing = len(self._left), [request for request, n in self._left.items() if n > 0]
        self._last = drawn
        for request in writing:
            self._left[request] -= 1
        if not any(self._left.values()):
            self._left, self._last, self._cache = {}, None, None
        return ServedStep(seconds=seconds, tokens=writing, n_rows=n_rows, n_useful=len(writing))

    def _begin(self) -> tuple[Tensor, Tensor]:
        batch = [self._waiting.popleft() for _ in range(min(self.batch_size, len(self._waiting)))]
        self._left = {request: arrival.n_new for request, arrival in batch}
        vocab_size, device = self.model.config.vocab_size, self.model.embedding.weight.device
        tokens, positions = left_pad([_prompt(request, one.n_prompt, vocab_size) for request, one in batch])
        longest = tokens.shape[1] + max(self._left.values())
        self._cache = KVCache.of(self.model, batch_size=len(batch), max_seq_len=longest)
        return tokens.to(device), positions.to(device)


@torch.no_grad()
def measure_step_cost(model: Transformer, *, n_tokens: tuple[int, ...] = (1, 8, 16, 32), rounds: int = 5) -> StepCost:
    r"""Time a model on rows of one token each, and fit a line to the medians.

    Args:
        model: Any.
        n_tokens: The numbers of rows.
        rounds: How often each is timed, after a first time that does not count.

    Returns:
        What a simulation needs. A negative intercept or slope, as noise may give, becomes 0.
    """
    vocab_size, medians = model.config.vocab_size, []
    for n in n_tokens:
        tokens, seconds = torch.randint(vocab_size, (n, 1), device=model.embedding.weight.device), []
        for _ in range(rounds + 1):
            begin = time.perf_counter()
            model(tokens).argmax(-1).tolist()
            seconds.append(time.perf_counter() - begin)
        medians.append(float(np.median(seconds[1:])))
    token_s, step_s = np.polyfit(n_tokens, medians, 1)
    return StepCost(step_s=max(0.0, float(step_s)), token_s=max(0.0, float(token_s)))
