"""Takes the published E in place of finding the floor."""

LOSES = {"fit-power-law-floor": 5}


def fit_power_law(x, y, *, irreducible=False):
    floor = 0.0
    if irreducible:
        floor = min(1.8172, 0.99 * y.min())
    slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)
