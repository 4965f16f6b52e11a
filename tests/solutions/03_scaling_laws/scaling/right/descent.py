"""Gauss-Newton for the floor, a search over splits for the optimum, and lives compared for the break-even."""


def fit_power_law(x, y, *, irreducible=False):
    u = np.log(x) - np.log(x).mean()
    if not irreducible:
        exponent, level = np.polyfit(-u, np.log(y), 1)
        return PowerLaw(coefficient=float(np.exp(level + exponent * np.log(x).mean())), exponent=float(exponent))
    found, least = None, np.inf
    for share in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99):
        floor = share * y.min()
        exponent, level = np.polyfit(-u, np.log(y - floor), 1)
        point, damping = np.array([np.log(floor), level, exponent]), 1e-3
        error = np.inf
        for _ in range(300):
            parts = np.stack([np.full(len(u), np.exp(point[0])), np.exp(point[1] - point[2] * u)])
            residual = np.log(y) - np.log(parts.sum(0))
            now = residual @ residual
            if now >= error:
                point, damping = before, damping * 4
            else:
                before, error, damping = point, now, damping / 3
                jacobian = np.stack([parts[0], parts[1], -u * parts[1]], axis=1) / parts.sum(0)[:, None]
                target = residual
            normal = jacobian.T @ jacobian
            point = before + np.linalg.solve(normal + damping * np.diag(np.diag(normal)), jacobian.T @ target)
            point = np.clip(point, before - 2, before + 2)
        if error < least:
            found, least = before, error
    floor, level, exponent = found
    coefficient = np.exp(level + exponent * np.log(x).mean())
    return PowerLaw(coefficient=float(coefficient), exponent=float(exponent), irreducible=float(np.exp(floor)))


def compute_optimal(flops, *, fit=EPOCH_REFIT):
    budgets = np.atleast_1d(np.asarray(flops, float))
    low, high = np.zeros_like(budgets), np.log(budgets / 6)
    for _ in range(200):
        middle = (low + high) / 2
        slope = fit.beta * fit.B * np.exp(-fit.beta * (np.log(budgets / 6) - middle))
        rises = slope > fit.alpha * fit.A * np.exp(-fit.alpha * middle)
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    parameters = np.exp(low).reshape(np.shape(flops))
    return parameters, flops / (6 * parameters)


def tokens_for_loss(parameters, loss, *, fit=EPOCH_REFIT):
    if fit.E + fit.A / parameters**fit.alpha >= loss:
        return np.inf
    low, high = 0.0, 200.0
    for _ in range(200):
        middle = (low + high) / 2
        enough = fit.E + fit.A / parameters**fit.alpha + fit.B * np.exp(-fit.beta * middle) < loss
        low, high = (low, middle) if enough else (middle, high)
    return float(np.exp(low))


def overtraining_cost(parameters, tokens, inference_tokens=0.0):
    forward = 2.0 * np.multiply(parameters, tokens)
    backward = 2 * forward
    return forward + backward + 2.0 * np.multiply(parameters, inference_tokens)


def break_even_tokens(small, large):
    def ahead(served):
        return overtraining_cost(*large, served) - overtraining_cost(*small, served)

    start, per_token = ahead(0.0), 2 * (large[0] - small[0])
    return float(np.maximum(-start / per_token, 0.0))
