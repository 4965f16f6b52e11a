"""Takes the best floor of a grid of a hundred, which gives two digits."""

LOSES = {"fit-power-law-floor": 5}


def fit_power_law(x, y, *, irreducible=False):
    floor = 0.0
    if irreducible:
        errors, floors = [], np.linspace(0, y.min(), 102)[1:-1]
        for floor in floors:
            slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
            errors.append(np.square(np.log(floor + np.exp(level + slope * np.log(x))) - np.log(y)).sum())
        floor = floors[int(np.argmin(errors))]
    slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)
