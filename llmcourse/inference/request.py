"""What is asked of the engine, and how far it has got with it."""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

import torch

from llmcourse.architecture.sampling import check_sampling

__all__ = ["FinishReason", "QueueFull", "Request", "SamplingParams", "TokenEvent"]

FinishReason = Literal["stop", "length", "cancelled"]


class QueueFull(RuntimeError):
    """As many requests wait as may wait: come back later."""


@dataclass(frozen=True)
class SamplingParams:
    r"""How one request's tokens are chosen, whatever other requests ask for.

    Attributes:
        max_new_tokens: Stop after this many.
        temperature: 0 takes the likeliest token; 1 draws as the model predicts.
        top_k: See :func:`llmcourse.architecture.filter_logits`.
        top_p: Likewise.
        min_p: Likewise.
        stop_tokens: The first of these that is drawn is the last token.
        seed: Makes the drawing repeatable; None takes a seed from torch's global generator.

    Raises:
        ValueError: A setting is out of its range.
    """

    _: KW_ONLY
    max_new_tokens: int = 128
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    stop_tokens: Collection[int] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        check_sampling(self.temperature or 1.0, self.top_k, self.top_p, self.min_p)
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is {self.max_new_tokens}: ask for at least 1")
        object.__setattr__(self, "stop_tokens", tuple(self.stop_tokens))


@dataclass(frozen=True)
class TokenEvent:
    r"""What a stream consists of.

    Attributes:
        request_id: Whose it is.
        token: A new token; None where a request ended without one.
        finish_reason: Why the request ended, with its last event: "stop" after a stop token, "length" after
            ``max_new_tokens``, or "cancelled".
    """

    _: KW_ONLY
    request_id: int
    token: int | None
    finish_reason: FinishReason | None = None


@dataclass(eq=False)
class Request:
    r"""One text that is read and written on.

    Attributes:
        request_id: Its number, in order of arrival.
        tokens: The prompt, and what was drawn since.
        n_prompt: How many of them are the prompt.
        params: How tokens are chosen.
        generator: Draws them; a request's own, so that no other request changes what it draws.
        sequence: Its number in the cache's tables; None while it waits.
        n_read: Tokens whose keys and values are in the cache.
        n_preempted: How often it had to make room for older ones.
        finish_reason: Why it ended; None while it has not.
        events: What a stream has not been given yet.
    """

    _: KW_ONLY
    request_id: int
    tokens: list[int]
    n_prompt: int
    params: SamplingParams
    generator: torch.Generator
    sequence: int | None = None
    n_read: int = 0
    n_preempted: int = 0
    finish_reason: FinishReason | None = None
    events: deque[TokenEvent] = field(default_factory=deque)

    @classmethod
    def make(
        cls, request_id: int, prompt: Sequence[int], params: SamplingParams, *, device: torch.device | str = "cpu"
    ) -> "Request":
        """Return a request that waits; the seed is fixed here, so that it does not depend on what runs beside it."""
        seed = int(torch.randint(2**31, ())) if params.seed is None else params.seed
        return cls(
            request_id=request_id,
            tokens=list(prompt),
            n_prompt=len(prompt),
            params=params,
            generator=torch.Generator(device).manual_seed(seed),
        )

    @property
    def output(self) -> list[int]:
        """The tokens that were drawn, a stop token among them."""
        return self.tokens[self.n_prompt :]

    @property
    def n_unread(self) -> int:
        """Tokens that have to be read before the next can be drawn: 1 in the midst of writing."""
        return len(self.tokens) - self.n_read

    def add(self, token: int) -> TokenEvent:
        """Append a token that was drawn, which may be the last.

        Args:
            token: Its id.

        Returns:
            What to tell whoever listens.
        """
        self.tokens.append(token)
        if token in self.params.stop_tokens:
            self.finish_reason = "stop"
        elif len(self.tokens) - self.n_prompt == self.params.max_new_tokens:
            self.finish_reason = "length"
        event = TokenEvent(request_id=self.request_id, token=token, finish_reason=self.finish_reason)
        self.events.append(event)
        return event

    def cancel(self) -> TokenEvent:
        """End it without a token.

        Returns:
            What to tell whoever listens.
        """
        self.finish_reason = "cancelled"
        event = TokenEvent(request_id=self.request_id, token=None, finish_reason="cancelled")
        self.events.append(event)
        return event
