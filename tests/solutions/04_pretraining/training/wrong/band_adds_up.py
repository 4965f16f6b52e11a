"""Adds up the bands' probabilities."""

LOSES = {"band-probability-curve": 2}


def band_probability(similarity, *, n_bands, rows_per_band):
    return min(1.0, n_bands * similarity**rows_per_band)
