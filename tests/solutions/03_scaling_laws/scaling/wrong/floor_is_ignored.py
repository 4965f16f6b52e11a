"""Fits the total losses by a line, without E."""

LOSES = {"fit-power-law-floor": 5}


def fit_power_law(x, y, *, irreducible=False):
    floor = 0.0
    if irreducible:
        floor = 0.0
    slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)
