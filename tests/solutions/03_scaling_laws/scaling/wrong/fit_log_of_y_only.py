"""Takes the logarithm of y alone, which fits an exponential."""

LOSES = {"fit-power-law-line": 3, "fit-power-law-floor": 5}


def fit_power_law(x, y, *, irreducible=False):
    floor = 0.0
    if irreducible:
        low, high = 0.0, y.min()
        for _ in range(25):
            floors = np.linspace(low, high, 52)[1:-1]
            slopes, levels = np.polyfit(np.log(x), np.log(y[:, None] - floors), 1)
            whole = floors + np.exp(levels + slopes * np.log(x)[:, None])
            errors = np.square(np.log(whole / y[:, None])).sum(0)
            best = int(np.argmin(errors))
            step = floors[1] - floors[0]
            low, high = floors[best] - step, floors[best] + step
        floor = floors[best]
    slope, level = np.polyfit(x, np.log(y - floor), 1)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)
