"""The segmentation lattice of one string: every way to cut it into pieces, and sums and maxima over all of them.

A string of n characters has n + 1 places where it may be cut, the lattice's nodes. Each piece of the vocabulary that
stands at characters i to j is an edge from node i to node j that carries the piece's log-probability. A path from node
0 to node n is a segmentation, and under a unigram model its log-probability is the sum along the path. There are up to
2^(n-1) paths, and yet every question about them takes one sweep over the edges:

- Viterbi: the best path, a maximum where the forward pass has a sum;
- forward and backward: the sum over all paths, and how often each piece is used on average (the E step of EM);
- forward filtering, backward sampling: a path drawn with exactly its probability;
- n-best: the best few paths.

Kudo 2018 (arXiv:1804.10959), sections 3.1 and 3.2. :mod:`llmcourse.tokenization.unigram_training` does the first two
for a whole corpus at once, in numpy; here they can be read one string at a time.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

__all__ = ["Lattice", "prefix_table"]


def prefix_table(scores: Mapping[str, float]) -> dict[str, float | None]:
    r"""Return a trie written as one dictionary: every prefix of every piece, with the score of those that are pieces.

    A look-up that fails says that no longer piece starts there either, so that the search for the pieces at a place
    stops early, as it would in a tree of nodes.

    Args:
        scores: The log-probability of each piece, in nats.

    Returns:
        Each piece with its score, and each proper prefix that is no piece with None.

    Example:
        >>> prefix_table({"low": -1.0, "l": -3.0})
        {'l': -3.0, 'lo': None, 'low': -1.0}
    """
    table: dict[str, float | None] = {}
    for piece, score in scores.items():
        for end in range(1, len(piece)):
            table.setdefault(piece[:end])
        table[piece] = score
    return table


class Lattice:
    r"""Every segmentation of ``text`` into pieces of a vocabulary.

    A character that is no piece becomes an edge of its own with ``unknown_score``, so that there is always a path.

    Args:
        text: The string to be cut.
        table: What :func:`prefix_table` made of the vocabulary.
        unknown_score: The log-probability of a character that is no piece.

    Cost: O(n L) look-ups for n characters and pieces of up to L characters.

    Example:
        >>> lattice = Lattice("aab", prefix_table({"a": -1.0, "b": -1.5, "ab": -2.0}), unknown_score=-12.0)
        >>> lattice.viterbi()
        (['a', 'ab'], -3.0)
        >>> [pieces for pieces, score in lattice.nbest(5)]
        [['a', 'ab'], ['a', 'a', 'b']]
    """

    def __init__(self, text: str, table: Mapping[str, float | None], unknown_score: float) -> None:
        self.text = text
        self.ending_at: list[list[tuple[int, float]]] = [[] for _ in range(len(text) + 1)]
        for start in range(len(text)):
            known_character = False
            for end in range(start + 1, len(text) + 1):
                score = table.get(text[start:end], -math.inf)
                if score == -math.inf:
                    break
                if score is not None:
                    self.ending_at[end].append((start, score))
                    known_character |= end == start + 1
            if not known_character:
                self.ending_at[start + 1].append((start, unknown_score))

    def viterbi(self) -> tuple[list[str], float]:
        r"""Return the best segmentation and its log-probability in nats.

        Of segmentations with the same score the one whose last piece is longest wins, as in SentencePiece.
        """
        best, came_from = [0.0], [0]
        for edges in self.ending_at[1:]:
            top, back = -math.inf, 0
            for start, score in edges:
                if (total := best[start] + score) > top:
                    top, back = total, start
            best.append(top)
            came_from.append(back)
        cuts = [len(self.text)]
        while cuts[-1]:
            cuts.append(came_from[cuts[-1]])
        return self._cut(cuts[::-1]), best[-1]

    def forward(self, alpha: float = 1.0) -> list[float]:
        r"""Return, for each node, the logarithm of the summed probability of all paths from the beginning to it.

        The last of them is the log-marginal: the probability of the text, however it is segmented.

        Args:
            alpha: Scores are multiplied by it first, so that each path's probability is raised to this power.

        Returns:
            n + 1 log-sums in nats.
        """
        sums = [0.0]
        for edges in self.ending_at[1:]:
            sums.append(_log_sum_exp([sums[start] + alpha * score for start, score in edges]))
        return sums

    def backward(self) -> list[float]:
        r"""Return, for each node, the log-sum over all paths from it to the end, in nats."""
        continuations: list[list[float]] = [[] for _ in self.ending_at]
        sums = [0.0] * len(self.ending_at)
        for end in range(len(self.text), 0, -1):
            if end < len(self.text):
                sums[end] = _log_sum_exp(continuations[end])
            for start, score in self.ending_at[end]:
                continuations[start].append(score + sums[end])
        if self.text:
            sums[0] = _log_sum_exp(continuations[0])
        return sums

    def expected_counts(self) -> dict[str, float]:
        r"""Return how often each piece is used on average over all segmentations, each with its posterior probability.

        An edge from i to j lies on paths of total probability forward(i) * p(piece) * backward(j); divided by the
        sum over all paths, that is the probability that the edge is used.

        Returns:
            The expected number of uses of each piece that occurs.

        Example:
            >>> lattice = Lattice("ab", {"a": math.log(0.5), "b": math.log(0.5), "ab": math.log(0.75)}, -20.0)
            >>> {piece: round(count, 3) for piece, count in lattice.expected_counts().items()}
            {'a': 0.25, 'ab': 0.75, 'b': 0.25}
        """
        before, after = self.forward(), self.backward()
        counts: dict[str, float] = {}
        for end, edges in enumerate(self.ending_at):
            for start, score in edges:
                piece = self.text[start:end]
                probability = math.exp(before[start] + score + after[end] - before[-1])
                counts[piece] = counts.get(piece, 0.0) + probability
        return counts

    def sample(self, rng: np.random.Generator, alpha: float = 1.0) -> list[str]:
        r"""Draw a segmentation with probability proportional to its own raised to the power ``alpha``.

        Forward filtering, backward sampling: from the end, choose the last piece by the share of the forward sum
        that comes through it, go to where it starts, and repeat.

        Args:
            rng: The source of randomness.
            alpha: 0 makes all segmentations equally likely, 1 is the posterior, a large value gives Viterbi's choice.

        Returns:
            The pieces.
        """
        sums = self.forward(alpha)
        cuts = [len(self.text)]
        while cuts[-1]:
            end, edges = cuts[-1], self.ending_at[cuts[-1]]
            threshold, start = rng.random(), edges[-1][0]
            for candidate, score in edges:
                threshold -= math.exp(sums[candidate] + alpha * score - sums[end])
                if threshold < 0:
                    start = candidate
                    break
            cuts.append(start)
        return self._cut(cuts[::-1])

    def nbest(self, n: int) -> list[tuple[list[str], float]]:
        r"""Return the ``n`` best segmentations, or all when there are fewer, with their log-probabilities in nats.

        Viterbi with n entries at each node: an n-best path to a node goes through an n-best path to the one before.
        """
        kept: list[list[tuple[float, int, int]]] = [[(0.0, 0, 0)]]
        for edges in self.ending_at[1:]:
            paths = (
                (path[0] + score, -start, -rank) for start, score in edges for rank, path in enumerate(kept[start])
            )
            kept.append(heapq.nlargest(n, paths))  # start and rank are negative so that ties fall as in viterbi
        found = []
        for rank in range(len(kept[-1])):
            cuts, place = [len(self.text)], rank
            while cuts[-1]:
                _, start, place = kept[cuts[-1]][place]
                cuts.append(-start)
                place = -place
            found.append((self._cut(cuts[::-1]), kept[-1][rank][0]))
        return found

    def segmentations(self, end: int | None = None) -> Iterator[tuple[list[str], float]]:
        r"""Yield every segmentation with its log-probability: up to 2^(n-1) of them, for short strings only."""
        end = len(self.text) if end is None else end
        if end == 0:
            yield [], 0.0
        for start, score in self.ending_at[end]:
            for pieces, total in self.segmentations(start):
                yield [*pieces, self.text[start:end]], total + score

    def _cut(self, cuts: list[int]) -> list[str]:
        return [self.text[start:end] for start, end in pairwise(cuts)]


def _log_sum_exp(values: list[float]) -> float:
    if len(values) == 1:
        return values[0]
    top = max(values)
    return top + math.log(sum([math.exp(value - top) for value in values]))
