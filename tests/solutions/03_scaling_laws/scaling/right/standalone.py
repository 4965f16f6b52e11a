"""No function calls another one: closed forms, differences of logarithms, and a bisection."""


def fit_power_law(x, y, *, irreducible=False):
    log_x = np.log(x)
    u = log_x - log_x.mean()

    def through(floor):
        v = np.log(y - floor)
        slope = u @ v / (u @ u)
        return v.mean() - slope * log_x.mean(), slope, v - v.mean() - slope * u

    def bend(floor):
        """The curvature of log(y - floor): positive for too low a floor, negative for too high a one."""
        residual = through(floor)[2]
        return residual @ (u**2 - (u**2).mean())

    low, high = 0.0, float(y.min()) * (1 - 1e-15)
    for _ in range(100 if irreducible else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if bend(middle) > 0 else (low, middle)
    floor = low if irreducible else 0.0
    level, slope, _ = through(floor)
    return PowerLaw(coefficient=np.exp(level), exponent=-slope, irreducible=floor)


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    log_budget = np.log(flops) - np.log(6)
    log_n = (np.log(fit.alpha * fit.A) - np.log(fit.beta * fit.B) + fit.beta * log_budget) / (fit.alpha + fit.beta)
    return np.exp(log_n), np.exp(log_budget - log_n)


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    reached = fit.E + fit.A * parameters**-fit.alpha
    if reached >= loss:
        return float("inf")
    return np.exp((np.log(fit.B) - np.log(loss - reached)) / fit.beta)


def overtraining_cost(parameters, tokens, inference_tokens=0.0):
    return 2 * parameters * (3 * tokens + inference_tokens)


def break_even_tokens(small, large):
    dearer = small[0] * small[1] - large[0] * large[1]
    return 3 * dearer / (large[0] - small[0]) if dearer > 0 else 0
