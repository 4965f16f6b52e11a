"""Returns the probability that no band is equal."""

LOSES = {"band-probability-curve": 2}


def band_probability(similarity, *, n_bands, rows_per_band):
    return (1 - similarity**rows_per_band) ** n_bands
