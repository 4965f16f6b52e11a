"""Takes one equal row for an equal band."""

LOSES = {"band-probability-curve": 2}


def band_probability(similarity, *, n_bands, rows_per_band):
    return 1 - (1 - similarity) ** (rows_per_band * n_bands)
