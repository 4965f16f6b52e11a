"""Takes (nearly) the least loss for the floor."""

LOSES = {"fit-power-law-floor": 5}


def fit_power_law(x, y, *, irreducible=False):
    floor = 0.0
    if irreducible:
        floor = y.min() * (1 - 1e-9)
    slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)
