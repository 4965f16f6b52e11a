"""MinHash: a set's signature of a few numbers, whose equal entries estimate how far two sets overlap."""

import numpy as np
from jaxtyping import Int

__all__ = ["PRIME", "minhash_signature"]

PRIME = 2**31 - 1
"""The modulus of the hash functions: products of two numbers below it fit into int64."""


def minhash_signature(
    shingles: Int[np.ndarray, " n"], multipliers: Int[np.ndarray, " n_hashes"], offsets: Int[np.ndarray, " n_hashes"]
) -> Int[np.ndarray, " n_hashes"]:
    r"""Return the least value of each hash function over a document's shingles.

    Broder 1997 (On the resemblance and containment of documents). Hash function i is
    ``(multipliers[i] * x + offsets[i]) % PRIME``. Two sets have the same least value with a probability near their
    Jaccard similarity.

    Args:
        shingles: Whole numbers from 0 to ``PRIME - 1``, in int64; the order, and how often one stands there, are of no
            matter.
        multipliers: From 1 to ``PRIME - 1``, in int64.
        offsets: From 0 to ``PRIME - 1``, in int64.

    Returns:
        The signature in int64; ``PRIME``, above every value, where there is no shingle.

    Raises:
        ValueError: There are not as many multipliers as offsets, or a shingle is out of range; quotes them.

    Cost: n times n_hashes products, and as many int64 in memory.

    Example:
        >>> minhash_signature(np.array([10, 4, 7]), np.array([1, 2]), np.array([0, 1]))
        array([4, 9])
    """
    if multipliers.shape != offsets.shape:
        raise ValueError(
            f"{multipliers.shape} multipliers and {offsets.shape} offsets: one of each for a hash function"
        )
    if len(shingles) and not 0 <= shingles.min() <= shingles.max() < PRIME:
        raise ValueError(f"shingles go from {shingles.min()} to {shingles.max()}: they are from 0 to {PRIME - 1}")
    values = (multipliers[:, None] * shingles + offsets[:, None]) % PRIME
    return values.min(axis=1, initial=PRIME)
