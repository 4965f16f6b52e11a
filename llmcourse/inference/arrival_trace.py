"""Requests as users send them: at random times, most of them short and a few very long."""

import math
import random
from dataclasses import KW_ONLY, dataclass

__all__ = ["Arrival", "arrival_trace"]


@dataclass(frozen=True)
class Arrival:
    r"""One request of a trace.

    Attributes:
        time_s: When it comes, in seconds from the beginning.
        n_prompt: Tokens of its prompt.
        n_new: Tokens of its answer.
    """

    _: KW_ONLY
    time_s: float
    n_prompt: int
    n_new: int


def arrival_trace(
    n_requests: int,
    *,
    rate_per_s: float,
    prompt_tokens: float = 64.0,
    new_tokens: float = 64.0,
    spread: float = 1.0,
    max_tokens: int = 1024,
    seed: int,
) -> list[Arrival]:
    r"""Draw requests that come independently of each other (a Poisson process), with lengths from a log-normal law.

    Real answers differ in length by two orders of magnitude, and that is what a batch of fixed members suffers from: it
    ends with its longest.

    Args:
        n_requests: How many.
        rate_per_s: How many come in a second, on average.
        prompt_tokens: The mean length of a prompt, before it is cut.
        new_tokens: Likewise of an answer.
        spread: The standard deviation of the lengths' logarithm; 0 makes all equally long, 1 is skewed.
        max_tokens: No prompt and no answer is longer.
        seed: Of the drawing.

    Returns:
        The requests in the order of their arrival.

    Raises:
        ValueError: A setting is out of its range.

    Example:
        >>> trace = arrival_trace(1000, rate_per_s=10.0, seed=0)
        >>> lengths = sorted(arrival.n_new for arrival in trace)
        >>> round(trace[-1].time_s), lengths[0], lengths[500], lengths[-1]
        (98, 1, 42, 626)
    """
    for name, value in {"rate_per_s": rate_per_s, "prompt_tokens": prompt_tokens, "new_tokens": new_tokens}.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}: it has to be above 0")
    if n_requests < 0 or spread < 0 or max_tokens < 1:
        raise ValueError(
            f"n_requests is {n_requests}, spread is {spread} and max_tokens is {max_tokens}: "
            "give 0 or more, 0 or more, and 1 or more"
        )
    draw, now, trace = random.Random(seed), 0.0, list[Arrival]()

    def length(mean: float) -> int:
        drawn = draw.lognormvariate(math.log(mean) - spread**2 / 2, spread)  # whose mean is `mean`
        return min(max(1, round(drawn)), max_tokens)

    for _ in range(n_requests):
        now += draw.expovariate(rate_per_s)
        trace.append(Arrival(time_s=now, n_prompt=length(prompt_tokens), n_new=length(new_tokens)))
    return trace
