"""What users and operators see of a server: throughput, the wait for the first token, the pace of the others."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float

from llmcourse.inference.arrival_trace import Arrival

__all__ = ["BatchServer", "ServedStep", "ServingReport", "replay"]


@dataclass(frozen=True)
class ServedStep:
    r"""One step of a server.

    Attributes:
        seconds: How long it took.
        tokens: The requests that got a token, by their place in the trace.
        n_rows: Rows that were computed, be they of use or not.
        n_useful: Of these, those whose request was not finished.
        n_used_blocks: Blocks of the cache that are held after it, where there are blocks.
    """

    _: KW_ONLY
    seconds: float
    tokens: Sequence[int]
    n_rows: int
    n_useful: int
    n_used_blocks: int = 0


class BatchServer(Protocol):
    """A way to serve requests, step by step."""

    def submit(self, request: int, arrival: Arrival) -> None:
        """Let a request wait, under its place in the trace."""
        ...

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        ...

    def step(self) -> ServedStep:
        """Take one step."""
        ...


@dataclass
class ServingReport:
    r"""A trace as it was served.

    Attributes:
        trace: What came.
        batch_size: Rows that the server may compute at a time.
        token_times_s: For each request, when each of its tokens came.
        steps: All steps.
        step_ends_s: When each ended.
    """

    trace: Sequence[Arrival]
    batch_size: int
    token_times_s: list[list[float]]
    steps: list[ServedStep] = field(default_factory=list)
    step_ends_s: list[float] = field(default_factory=list)

    @property
    def n_tokens(self) -> int:
        """Tokens that were given out."""
        return sum(map(len, self.token_times_s))

    @property
    def tokens_per_s(self) -> float:
        """Throughput: tokens given out, from the first arrival to the last token."""
        return self.n_tokens / (self.step_ends_s[-1] - self.trace[0].time_s)

    @property
    def time_to_first_token_s(self) -> Float[np.ndarray, "N"]:
        """For each request the wait for its first token, in the queue and while its prompt is read."""
        pairs = zip(self.token_times_s, self.trace, strict=True)
        return np.array([times[0] - arrival.time_s for times, arrival in pairs])

    @property
    def time_per_output_token_s(self) -> Float[np.ndarray, "M"]:
        """For each request of two tokens or more the mean time from one token to the next."""
        return np.array([(t[-1] - t[0]) / (len(t) - 1) for t in self.token_times_s if len(t) > 1])

    @property
    def utilization(self) -> float:
        """The share of rows that were of use, of all that there might have been, averaged over time."""
        weights = np.array([step.seconds for step in self.steps])
        return float(np.average([step.n_useful / self.batch_size for step in self.steps], weights=weights))

    def over_time(self) -> dict[str, Float[np.ndarray, "steps"]]:
        """Return arrays to draw.

        Returns:
            ``time_s`` at which each step began, ``utilization`` and ``computed`` as shares of ``batch_size`` (rows of
            use, and rows computed), and ``used_blocks``.
        """
        seconds = np.array([step.seconds for step in self.steps])
        rows = np.array([[step.n_useful, step.n_rows, step.n_used_blocks] for step in self.steps], dtype=float).T
        return {
            "time_s": np.array(self.step_ends_s) - seconds,
            "utilization": rows[0] / self.batch_size,
            "computed": rows[1] / self.batch_size,
            "used_blocks": rows[2],
        }


def replay(trace: Sequence[Arrival], server: BatchServer, *, batch_size: int) -> ServingReport:
    r"""Send a trace to a server, with a clock that goes on by what each step takes.

    The clock skips the time in which there is nothing to do, so that a trace of an hour can be replayed in a minute.

    Args:
        trace: Requests in the order of their arrival, at least one.
        server: Simulated, or one that computes.
        batch_size: Rows that it may compute at a time.

    Returns:
        What happened.

    Raises:
        ValueError: The trace is empty or not in order.
    """
    times = [arrival.time_s for arrival in trace]
    if not times or times != sorted(times):
        raise ValueError(f"the trace has {len(times)} requests: give at least one, in the order of arrival")
    report = ServingReport(trace, batch_size, [[] for _ in trace])
    now, n_come = 0.0, 0
    while n_come < len(trace) or server.has_work:
        if not server.has_work:
            now = max(now, times[n_come])
        while n_come < len(trace) and times[n_come] <= now:
            server.submit(n_come, trace[n_come])
            n_come += 1
        step = server.step()
        now += step.seconds
        for request in step.tokens:
            report.token_times_s[request].append(now)
        report.steps.append(step)
        report.step_ends_s.append(now)
    return report
