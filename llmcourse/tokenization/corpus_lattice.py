"""The segmentation lattices of many words at once, as flat arrays, for training.

:class:`llmcourse.tokenization.lattice.Lattice` says what is computed; here every step of it is taken for all words
together. Words are sorted by length, longest first, and nodes are numbered by depth (characters before them), then by
word. The nodes of one depth are then one slice, since the words that reach it are the first ones of the list, and the
edges, sorted by the node where they end, are one slice too: a sum over the paths to all nodes of a depth is one
`reduceat`.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from llmcourse.tokenization.lattice import prefix_table

__all__ = ["CorpusLattice"]


@dataclass(frozen=True, kw_only=True)
class CorpusLattice:
    r"""Every segmentation of every word, as arrays. Made by :meth:`build`.

    Args:
        depths: Where the nodes of each depth begin, and at the end how many nodes there are.
        final: The node at the end of each word.
        start: For each edge, the node where it starts; edges are sorted by the node where they end.
        end: For each edge, the node where it ends.
        piece: For each edge, the number of its piece.

    Example:
        >>> lattice = CorpusLattice.build(["aab"], ["a", "b", "ab"])
        >>> counts, log_likelihood = lattice.expected_counts(np.log([0.5, 0.25, 0.25]), np.ones(1))
        >>> counts.round(3).tolist()  # a|a|b has probability 1/16, a|ab has 1/8
        [1.333, 0.333, 0.667]
        >>> round(np.exp(log_likelihood).item() * 16, 3)
        3.0
    """

    depths: Int[np.ndarray, " D"]
    final: Int[np.ndarray, " W"]
    start: Int[np.ndarray, " E"]
    end: Int[np.ndarray, " E"]
    piece: Int[np.ndarray, " E"]

    @classmethod
    def build(cls, words: Sequence[str], pieces: Sequence[str]) -> "CorpusLattice":
        r"""Find every piece at every place of every word.

        Args:
            words: Not empty, longest first, made of characters that are pieces.
            pieces: The vocabulary.

        Returns:
            The lattice.
        """
        assert all(len(a) >= len(b) for a, b in pairwise(words))
        lengths = np.array([len(word) for word in words])
        reaching = np.searchsorted(-lengths, -np.arange(lengths[0] + 1), side="right")
        depths = np.concatenate([[0], np.cumsum(reaching)])
        word, first, last, piece = np.array(_edges(words, pieces), dtype=np.int64).reshape(-1, 4).T
        start, end = depths[first] + word, depths[last] + word
        order = np.argsort(end, kind="stable")
        final = depths[lengths] + np.arange(len(words))
        return cls(depths=depths, final=final, start=start[order], end=end[order], piece=piece[order])

    def restrict(self, kept: Bool[np.ndarray, " P"]) -> "CorpusLattice":
        r"""Return the lattice without the edges of pieces that are not kept; the others are numbered anew."""
        edges = kept[self.piece]
        renumbered = np.cumsum(kept) - 1
        return replace(self, start=self.start[edges], end=self.end[edges], piece=renumbered[self.piece[edges]])

    def without_whole_words(self) -> "CorpusLattice":
        r"""Return the lattice without edges that span a word: each word must be cut at least once."""
        is_final = np.zeros(self.depths[-1], dtype=bool)
        is_final[self.final] = True
        edges = ~((self.start < self.depths[1]) & is_final[self.end])
        return replace(self, start=self.start[edges], end=self.end[edges], piece=self.piece[edges])

    def expected_counts(
        self, scores: Float[np.ndarray, " P"], frequencies: Float[np.ndarray, " W"]
    ) -> tuple[Float[np.ndarray, " P"], float]:
        r"""The E step: how often each piece is used on average, and the corpus's log-likelihood.

        Forward, each edge's share of the sum at the node where it ends is kept: the probability that a path that
        comes to this node comes through this edge. Backward, each word's frequency is handed from its last node to
        the edges in proportion to these shares, and on to the nodes where they start. What an edge is handed is its
        expected count; no backward sums and no more exponentials are needed.

        Args:
            scores: The log-probability of each piece, in nats.
            frequencies: How often each word occurs.

        Returns:
            The expected count of each piece, and the sum over words of frequency times log-marginal, in nats.
        """
        sums, share = np.zeros(self.depths[-1]), np.empty(len(self.piece))
        levels = list(self._levels())
        for nodes, edges, segments, target in levels:
            totals = sums[self.start[edges]] + scores[self.piece[edges]]
            top = np.maximum.reduceat(totals, segments)
            weights = np.exp(totals - top[target])
            weight_sums = np.add.reduceat(weights, segments)
            sums[nodes] = top + np.log(weight_sums)
            share[edges] = weights / weight_sums[target]
        mass = np.zeros(self.depths[-1])
        mass[self.final] = frequencies
        for _, edges, _, _ in reversed(levels):
            share[edges] *= mass[self.end[edges]]
            np.add.at(mass, self.start[edges], share[edges])
        counts = np.bincount(self.piece, weights=share, minlength=len(scores))
        return counts, float(frequencies @ sums[self.final])

    def best_paths(
        self, scores: Float[np.ndarray, " P"]
    ) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Float[np.ndarray, " W"]]:
        r"""Viterbi for every word.

        Args:
            scores: The log-probability of each piece, in nats.

        Returns:
            The N pieces on the best paths, as two arrays of equal length (the word's number, the piece's number), and
            each word's best log-probability in nats.
        """
        best, came_by = np.zeros(self.depths[-1]), np.empty(self.depths[-1], dtype=np.int64)
        for nodes, edges, segments, target in self._levels():
            totals = best[self.start[edges]] + scores[self.piece[edges]]
            best[nodes] = np.maximum.reduceat(totals, segments)
            winners = np.flatnonzero(totals == best[nodes][target])
            came_by[nodes.start + target[winners[::-1]]] = edges.start + winners[::-1]
        words, node = np.arange(len(self.final)), self.final
        owners, used = [], []
        while len(words):
            edge = came_by[node]
            owners.append(words)
            used.append(self.piece[edge])
            going_on = self.start[edge] >= self.depths[1]
            words, node = words[going_on], self.start[edge][going_on]
        return np.concatenate(owners), np.concatenate(used), best[self.final]

    def _levels(self) -> Iterator[tuple[slice, slice, Int[np.ndarray, " n"], Int[np.ndarray, " e"]]]:
        # For each depth: its nodes, the edges that end there, where each node's edges begin, and each edge's node.
        first_edge = np.searchsorted(self.end, np.arange(self.depths[1], self.depths[-1] + 1))
        for low, high in pairwise(self.depths[1:].tolist()):
            bounds = first_edge[low - self.depths[1] : high - self.depths[1] + 1]
            edges = slice(int(bounds[0]), int(bounds[-1]))
            yield slice(low, high), edges, bounds[:-1] - bounds[0], self.end[edges] - low


def _edges(words: Sequence[str], pieces: Sequence[str]) -> array:
    # Four integers an edge: the word's number, the characters between which the piece stands, the piece's number.
    table = prefix_table({piece: number for number, piece in enumerate(pieces)})
    edges = array("q")
    for number, word in enumerate(words):
        for first in range(len(word)):
            for last in range(first + 1, len(word) + 1):
                piece = table.get(word[first:last], -1)
                if piece == -1:
                    break
                if piece is not None:
                    edges.extend((number, first, last, int(piece)))
    return edges
