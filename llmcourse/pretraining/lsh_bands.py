"""Locality-sensitive hashing by bands: which pairs of signatures are compared at all."""

__all__ = ["band_probability"]


def band_probability(similarity: float, *, n_bands: int, rows_per_band: int) -> float:
    r"""Return the probability that at least one band of two signatures is equal in all its rows.

    An S-curve, steepest near ``(1 / n_bands) ** (1 / rows_per_band)``: Leskovec, Rajaraman & Ullman, Mining of Massive
    Datasets, section 3.4.2, whose b and r are ``n_bands`` and ``rows_per_band``.

    Args:
        similarity: Jaccard's, which is the probability that one entry is equal.
        n_bands: How many bands a signature is cut into.
        rows_per_band: How many entries each band has.

    Returns:
        A probability.

    Raises:
        ValueError: The similarity is no probability, or there is no band or row; quotes them.

    Example:
        >>> [round(band_probability(s, n_bands=20, rows_per_band=5), 3) for s in (0.2, 0.5, 0.8)]
        [0.006, 0.47, 1.0]
    """
    if not 0 <= similarity <= 1:
        raise ValueError(f"similarity is {similarity}: it is from 0 to 1")
    if n_bands < 1 or rows_per_band < 1:
        raise ValueError(f"{n_bands} bands of {rows_per_band} rows: there is at least 1 of each")
    return 1 - (1 - similarity**rows_per_band) ** n_bands
