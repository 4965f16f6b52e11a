r"""The objective of Hoffmann et al.: Huber's loss of the logarithm of a sum of powers, for many problems at once.

A law E + A / N^alpha + B / D^beta is written as log-sum-exp of e, a - alpha log N and b - beta log D, with e = log E
and so on, so that all terms stay positive and no power overflows. The logarithms of N and D are taken from their
means: else a and alpha could hardly be told apart, and descent would crawl along their valley.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["LogSumLaw"]


@dataclass(frozen=True)
class LogSumLaw:
    r"""Data, weights and the Huber width of a fit.

    Points hold the logarithm of each power's coefficient at the centre, then its exponent, power by power, and last
    log E if there is one.

    Attributes:
        log_inputs: The logarithm of each resource, centred: one row a resource.
        log_losses: What is to be fitted.
        weights: One row a problem: how often each datum counts in it, as a bootstrap draws it.
        delta: Where Huber's loss turns from a square into a straight line.
        irreducible: Whether there is an E.
    """

    log_inputs: Float[np.ndarray, "k n"]
    log_losses: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, "P n"]
    delta: float
    irreducible: bool

    def __call__(
        self, points: Float[np.ndarray, "p m"], which: np.ndarray
    ) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "p m"]]:
        """Return the objective and its gradient.

        Args:
            points: One a problem.
            which: The numbers of the problems.

        Returns:
            Sums over the data, and their gradients.
        """
        shares, predicted = self._terms(points)
        residual = predicted - self.log_losses
        weight = self.weights[which]
        size = np.abs(residual)
        huber = np.where(size <= self.delta, 0.5 * residual**2, self.delta * (size - 0.5 * self.delta))
        pull = weight * np.clip(residual, -self.delta, self.delta)
        gradient = np.empty_like(points)
        for power, log_input in enumerate(self.log_inputs):
            share = pull * shares[power]
            gradient[:, 2 * power] = share.sum(1)
            gradient[:, 2 * power + 1] = -(share * log_input).sum(1)
        if self.irreducible:
            gradient[:, -1] = (pull * shares[-1]).sum(1)
        return (weight * huber).sum(1), gradient

    def _terms(self, points: Float[np.ndarray, "p m"]) -> tuple[list[np.ndarray], np.ndarray]:
        """Return each term's share of the sum, and the logarithm of the sum."""
        terms = [
            points[:, 2 * power, None] - points[:, 2 * power + 1, None] * log_input
            for power, log_input in enumerate(self.log_inputs)
        ]
        if self.irreducible:
            terms.append(np.broadcast_to(points[:, -1:], terms[0].shape))
        top = np.maximum.reduce(terms)
        exponentials = [np.exp(term - top) for term in terms]
        total = np.add.reduce(exponentials)
        return [exponential / total for exponential in exponentials], top + np.log(total)
