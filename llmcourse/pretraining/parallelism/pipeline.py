"""Pipeline parallelism: stages of layers, through which micro-batches pass."""

__all__ = ["bubble_fraction"]


def bubble_fraction(n_stages: int, n_microbatches: int) -> float:
    r"""Return the share of time in which a stage of a pipeline idles.

    Huang et al. 2018 (GPipe, arXiv:1811.06965, section 2.3). 1F1B (Narayanan et al. 2019) idles as long; it keeps the
    activations of fewer micro-batches.

    Args:
        n_stages: p.
        n_microbatches: m.

    Returns:
        (p - 1) / (m + p - 1).

    Raises:
        ValueError: A number is less than 1; quotes both.

    Example:
        >>> bubble_fraction(4, 12)
        0.2
    """
    if min(n_stages, n_microbatches) < 1:
        raise ValueError(f"n_stages is {n_stages} and n_microbatches {n_microbatches}: both are at least 1")
    return (n_stages - 1) / (n_microbatches + n_stages - 1)
