"""Compares floors by the residuals of the line, which are small where a low floor makes all logarithms alike."""

LOSES = {"fit-power-law-floor": 5}


def fit_power_law(x, y, *, irreducible=False):
    floor = 0.0
    if irreducible:
        low, high = 0.0, y.min()
        for _ in range(25):
            floors = np.linspace(low, high, 52)[1:-1]
            errors = []
            for floor in floors:
                slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
                errors.append(np.square(level + slope * np.log(x) - np.log(y - floor)).sum())
            best = int(np.argmin(errors))
            step = floors[1] - floors[0]
            low, high = floors[best] - step, floors[best] + step
        floor = floors[best]
    slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)
