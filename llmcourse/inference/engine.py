"""A serving engine: many requests at once, each as if it were alone."""

from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.architecture import Transformer, sample
from llmcourse.inference.kv_cache import left_pad
from llmcourse.inference.paged_kv_cache import PagedKVCache
from llmcourse.inference.request import QueueFull, Request, SamplingParams, TokenEvent
from llmcourse.inference.scheduler import Scheduler, StepReport

__all__ = ["Engine"]


class Engine:
    r"""Continuous batching over a paged cache (Orca, Yu et al. 2022; vLLM, Kwon et al. 2023, arXiv:2309.06180).

    Each call of :meth:`step` lets the model read what :class:`llmcourse.inference.Scheduler` has planned: one token of
    each request that writes, and chunks of prompts. A request's tokens are those that
    :func:`llmcourse.architecture.generate` draws for it alone with the same seed, whatever runs beside it and however
    often it is preempted. Sums are taken in another order, so that probabilities agree to rounding, not bit for bit.

    Args:
        model: In evaluation mode, with weights that do not change: keys and values of earlier texts are used again.
        n_blocks: Of the cache. What a request may need at most has to fit.
        block_size: Tokens in a block.
        max_batch_size: Requests in a step, at most.
        max_step_tokens: Tokens in a step, at most.
        max_waiting: Requests that may wait beside ``max_batch_size`` that run; None is no limit.
        share_prefixes: Let requests find the blocks of texts that begin as theirs do.
        observer: Called after each step.

    Raises:
        ValueError: A size is below 1.

    Example:
        >>> from llmcourse.architecture import ModelConfig
        >>> model = Transformer(ModelConfig(vocab_size=50, d_model=32, n_layers=2, n_heads=4)).eval()
        >>> engine = Engine(model, n_blocks=16)
        >>> params = SamplingParams(max_new_tokens=3, temperature=0.0)
        >>> [len(output) for output in engine.generate([[1, 2, 3], [4, 5]], params)]
        [3, 3]
        >>> [event.finish_reason for event in engine.stream([1, 2, 3], params)]
        [None, None, 'length']
    """

    def __init__(
        self,
        model: Transformer,
        *,
        n_blocks: int,
        block_size: int = 16,
        max_batch_size: int = 32,
        max_step_tokens: int = 256,
        max_waiting: int | None = None,
        share_prefixes: bool = True,
        observer: Callable[[StepReport], None] | None = None,
    ) -> None:
        self.model, self.max_waiting, self.share_prefixes, self.observer = model, max_waiting, share_prefixes, observer
        self.cache = PagedKVCache.of(model, n_blocks=n_blocks, block_size=block_size)
        self.scheduler = Scheduler(self.cache.tables, max_batch_size=max_batch_size, max_step_tokens=max_step_tokens)
        self._requests: dict[int, Request] = {}
        self._n_submitted = 0
        self._events: list[TokenEvent] = []

    @property
    def has_work(self) -> bool:
        """Whether any request runs or waits."""
        return bool(self._requests)

    @property
    def max_tokens(self) -> int:
        """The longest that a text can become, prompt and answer together."""
        room = self.cache.tables.allocator.n_blocks * self.cache.block_size
        config = self.model.config
        return min(room, config.max_seq_len) if config.position_embedding == "learned" else room

    @property
    def max_requests(self) -> int | None:
        """As many may run or wait at a time; None is no limit."""
        return None if self.max_waiting is None else self.scheduler.max_batch_size + self.max_waiting

    def submit(self, prompt: Sequence[int], params: SamplingParams | None = None) -> int:
        r"""Let a prompt wait for its turn.

        Args:
            prompt: Ids, at least one.
            params: How its tokens are chosen.

        Returns:
            The request's number, by which events name it.

        Raises:
            QueueFull: As many requests wait as may.
            ValueError: The prompt is empty, has an unknown id, or cannot fit with its answer.
        """
        params = SamplingParams() if params is None else params
        self.check(prompt, params)
        if self.max_requests is not None and len(self._requests) >= self.max_requests:
            raise QueueFull(f"{len(self._requests)} requests run or wait already: no more than {self.max_requests} may")
        device = self.model.embedding.weight.device
        request = Request.make(self._n_submitted, prompt, params, device=device)
        self._n_submitted += 1
        self._requests[request.request_id] = request
        self.scheduler.add(request)
        return request.request_id

    def check(self, prompt: Sequence[int], params: SamplingParams) -> None:
        """Raise ValueError where a request could never be served; :meth:`submit` does it first."""
        vocab_size = self.model.config.vocab_size
        wrong = [token for token in prompt if not 0 <= token < vocab_size]
        if not prompt or wrong:
            raise ValueError(
                f"the prompt has {len(prompt)} ids, of which {wrong[:3]} are none: give 0 to {vocab_size - 1}"
            )
        n_tokens = len(prompt) + params.max_new_tokens
        if n_tokens > self.max_tokens:
            raise ValueError(
                f"{len(prompt)} tokens and {params.max_new_tokens} new ones are more than {self.max_tokens}, which is "
                "all there is room for: shorten the prompt, or ask for fewer"
            )

    def cancel(self, request_id: int) -> bool:
        """End a request, and give back its blocks.

        Args:
            request_id: Its number.

        Returns:
            Whether it was still there. Then the next step's events tell of it.
        """
        request = self._requests.pop(request_id, None)
        if request is None:
            return False
        self.scheduler.remove(request)
        self._events.append(request.cancel())
        return True

    @torch.no_grad()
    def step(self) -> list[TokenEvent]:
        r"""Let the model read once, and draw a token for each request that has been read to its end.

        Returns:
            What happened, requests that were cancelled since among it; each request's events in order.

        Raises:
            Exception: The model's. Its pass is undone, and the step can be taken again.
        """
        plan = self.scheduler.plan()
        for group in self.scheduler.passes(plan):
            self._read(group)
        if self.observer is not None:
            n_decoded = sum(n_tokens == 1 for n_tokens in plan.values())
            self.observer(self.scheduler.report(n_decoded, sum(plan.values()) - n_decoded))
        events, self._events = self._events, []
        return events

    def stream(self, prompt: Sequence[int], params: SamplingParams | None = None) -> Iterator[TokenEvent]:
        r"""Submit a prompt at once, and take steps while its events are asked for. Several streams can be interleaved.

        Args:
            prompt: As for :meth:`submit`.
            params: Likewise.

        Returns:
            The request's events. If it is closed before its end, the request is cancelled.
        """
        return self._follow(self._requests[self.submit(prompt, params)])

    def generate(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams | Sequence[SamplingParams]
    ) -> list[list[int]]:
        r"""Write on prompts, all of them at once as far as there is room.

        Args:
            prompts: Ids.
            params: For all, or for each.

        Returns:
            What was drawn for each, a stop token among it.

        Raises:
            ValueError: There are not as many ``params`` as prompts.
        """
        each = [params] * len(prompts) if isinstance(params, SamplingParams) else list(params)
        if len(each) != len(prompts):
            raise ValueError(f"there are {len(prompts)} prompts and {len(each)} params: give one, or one for each")
        requests = [self._requests[self.submit(*pair)] for pair in zip(prompts, each, strict=True)]
        while any(request.finish_reason is None for request in requests):
            self.step()
        return [request.output for request in requests]

    def _follow(self, request: Request) -> Iterator[TokenEvent]:
        try:
            while request.events or request.finish_reason is None:
                while not request.events:
                    self.step()
                yield request.events.popleft()
        finally:
            self.cancel(request.request_id)

    def _read(self, n_new: dict[Request, int]) -> None:
        """Let the model read the next tokens of some requests in one pass; shorter ones stand behind padding."""
        step = self.cache.reserve({request.sequence: n for request, n in n_new.items() if request.sequence is not None})
        try:
            device = self.model.embedding.weight.device
            tokens, offsets = left_pad([r.tokens[r.n_read : r.n_read + n] for r, n in n_new.items()])
            positions = offsets + torch.tensor([[request.n_read] for request in n_new])
            done = [i for i, (request, n) in enumerate(n_new.items()) if request.n_unread == n]
            hidden = self.model.hidden(tokens.to(device), cache=step, positions=positions.to(device))[done, -1]
            drawn = _draw(self.model.output(hidden), [list(n_new)[i] for i in done]) if done else {}
        except BaseException:
            step.undo()
            raise
        for request, n_tokens in n_new.items():
            self._commit(request, n_tokens, drawn.get(request))

    def _commit(self, request: Request, n_tokens: int, token: int | None) -> None:
        request.n_read += n_tokens
        if self.share_prefixes and request.sequence is not None:
            self.cache.tables.record(request.sequence, request.tokens)
        if token is not None:
            self._events.append(request.add(token))
        if request.finish_reason is not None:
            self.scheduler.remove(request)
            del self._requests[request.request_id]


def _draw(logits: Float[Tensor, "B V"], requests: list[Request]) -> dict[Request, int]:
    """Draw a token for each request as it wishes: the likeliest for all at once, others from their own generators."""
    drawn = dict(zip(requests, logits.argmax(-1).tolist(), strict=True))
    for row, request in enumerate(requests):
        params = request.params
        if params.temperature > 0:
            drawn[request] = int(
                sample(
                    logits[row : row + 1],
                    temperature=params.temperature,
                    top_k=params.top_k,
                    top_p=params.top_p,
                    min_p=params.min_p,
                    generator=request.generator,
                )
            )
    return drawn
