"""Asks for every band to be equal."""

LOSES = {"band-probability-curve": 2}


def band_probability(similarity, *, n_bands, rows_per_band):
    return similarity ** (rows_per_band * n_bands)
