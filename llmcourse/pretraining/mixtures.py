"""Mixtures: documents of several sources, so that each gives its share of the tokens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Drawn", "mix"]


class Drawn(NamedTuple):
    """A document that was drawn.

    Attributes:
        source: Which source it is of.
        document: The document.
        epoch: How often its source had been read to the end before.
    """

    source: str
    document: str
    epoch: int


def mix(
    sources: Mapping[str, Sequence[str]],
    weights: Mapping[str, float],
    *,
    length_of: Callable[[str], int] = len,
    seed: int = 0,
) -> Iterator[Drawn]:
    r"""Draw documents without end, so that each source's share of the *length* is its weight.

    Brown et al. 2020 (GPT-3, arXiv:2005.14165, table 2.2) read good sources more often than once. The source that is
    furthest behind its share comes next, so that the shares hold at every moment, and not on average alone. Within a
    source the order is drawn anew for each epoch. Muennighoff et al. 2023 (arXiv:2305.16264) found up to four epochs
    to be worth nearly as much as new data.

    Args:
        sources: Documents by the source's name.
        weights: What each source's share of the whole length is proportional to.
        length_of: A document's length: its characters by default; give a count of tokens to weigh tokens.
        seed: Of the orders.

    Yields:
        Documents.

    Raises:
        ValueError: Names differ, a weight is not above 0, or a source is empty; quotes it.

    Example:
        >>> drawn = mix({"books": ["aaaa"], "web": ["b", "c"]}, {"books": 2, "web": 1})
        >>> [next(drawn).source for _ in range(6)]
        ['books', 'web', 'web', 'books', 'web', 'web']
    """
    _check(sources, weights)
    total = sum(weights.values())
    given = dict.fromkeys(sources, 0)
    readers = {name: _epochs(sources[name], seed, number) for number, name in enumerate(sorted(sources))}
    while True:
        whole = sum(given.values())
        # Of equal ones the first by name, so that the order of the dictionary is of no matter.
        name = max(sorted(sources), key=lambda one: weights[one] / total * (whole + 1) - given[one])
        document, epoch = next(readers[name])
        given[name] += max(length_of(document), 1)  # a document of no length must not be drawn for ever
        yield Drawn(name, document, epoch)


def _epochs(documents: Sequence[str], seed: int, number: int) -> Iterator[tuple[str, int]]:
    epoch = 0
    while True:
        for index in np.random.default_rng([seed, number, epoch]).permutation(len(documents)):
            yield documents[int(index)], epoch
        epoch += 1


def _check(sources: Mapping[str, Sequence[str]], weights: Mapping[str, float]) -> None:
    if not sources or set(sources) != set(weights):
        raise ValueError(
            f"sources are {sorted(sources)} and weights {sorted(weights)}: give one weight for each source"
        )
    for name, weight in weights.items():
        if not 0 < weight < float("inf"):
            raise ValueError(f"the weight of {name!r} is {weight}: it is greater than 0; leave out what is not wanted")
        if not len(sources[name]):
            raise ValueError(f"source {name!r} is empty: leave it out")
