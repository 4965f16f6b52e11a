"""Has rows and bands in each other's place."""

LOSES = {"band-probability-curve": 2}


def band_probability(similarity, *, n_bands, rows_per_band):
    return 1 - (1 - similarity**n_bands) ** rows_per_band
