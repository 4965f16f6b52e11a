r"""L-BFGS on many small problems at once.

Fits of scaling laws are begun from hundreds of starts, and bootstraps repeat them a thousand times. Each is a problem
of a few numbers, so that a loop over them would spend its time in Python; here all take their steps together, each
with its own history and its own step length, and those that have converged are left out.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

__all__ = ["Objective", "minimize"]

Points = Float[np.ndarray, "P n"]
Objective = Callable[[Points, np.ndarray], tuple[Float[np.ndarray, " P"], Points]]

_SUFFICIENT = 1e-4  # of the decrease that the slope promises
_HALVINGS = 30


def minimize(
    objective: Objective, starts: Points, *, max_steps: int = 500, memory: int = 10, tolerance: float = 1e-12
) -> tuple[Points, Float[np.ndarray, " P"]]:
    r"""Minimise the same function from many starts, or many functions from one start each.

    Liu & Nocedal 1989: two loops over the last steps and changes of the gradient, and a step that is halved until the
    function falls enough.

    Args:
        objective: Takes points and the numbers of their problems; returns values and gradients.
        starts: A point for each problem.
        max_steps: At most.
        memory: How many steps are remembered.
        tolerance: A problem has converged when a step lowers its value by less than this, relative to it.

    Returns:
        The points reached and their values.

    Example:
        >>> target = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> def bowl(points, which):
        ...     away = points - target[which]
        ...     return (away**2 * [1.0, 100.0]).sum(1), 2 * away * [1.0, 100.0]
        >>> points, _ = minimize(bowl, np.zeros((2, 2)))
        >>> np.allclose(points, target, atol=1e-5)
        True
    """
    points = np.array(starts, np.float64)
    values, gradients = objective(points, np.arange(len(points)))
    history: list[tuple[Points, Points, np.ndarray]] = []
    active = np.arange(len(points))
    for _ in range(max_steps):
        at, slope = points[active], gradients[active]
        direction = _direction(slope, [(s[active], y[active], r[active]) for s, y, r in history])
        length, value, gradient = _search(objective, active, at, values[active], slope, direction)
        step, change = length[:, None] * direction, gradient - slope
        history = [*history[1 - memory :], _remember(active, points.shape, step, change)]
        drop = values[active] - value
        points[active], values[active], gradients[active] = at + step, value, gradient
        active = active[drop > tolerance * np.maximum(np.abs(value), 1e-300)]
        if not active.size:
            break
    return points, values


def _remember(
    active: np.ndarray, shape: tuple[int, ...], step: Points, change: Points
) -> tuple[Points, Points, np.ndarray]:
    """Return a step and its change of gradient for all problems; where they are no use, 1 / (s y) is 0."""
    steps, changes, inverse = np.zeros(shape), np.zeros(shape), np.zeros(shape[0])
    curvature = (step * change).sum(1)
    bends = curvature > 1e-14 * (change**2).sum(1)
    steps[active], changes[active] = step, change
    inverse[active] = np.where(bends, 1 / np.where(bends, curvature, 1.0), 0.0)
    return steps, changes, inverse


def _direction(gradient: Points, history: list[tuple[Points, Points, np.ndarray]]) -> Points:
    """Return minus the gradient times what is known of the inverse Hessian."""
    # With no history a step is as long as 1, since nothing is known of the scale; else the last curvature tells it.
    direction, scale = -gradient, 1 / np.maximum(np.abs(gradient).sum(1), 1e-300)
    weights = []
    for step, change, inverse in reversed(history):
        weight = inverse * (step * direction).sum(1)
        direction = direction - weight[:, None] * change
        weights.append(weight)
    for _, change, inverse in history:
        known = inverse > 0
        scale = np.where(known, 1 / np.where(known, inverse * (change**2).sum(1), 1.0), scale)
    direction = scale[:, None] * direction
    for (step, change, inverse), weight in zip(history, reversed(weights), strict=True):
        back = inverse * (change * direction).sum(1)
        direction = direction + (weight - back)[:, None] * step
    uphill = (direction * gradient).sum(1) >= 0
    return np.where(uphill[:, None], -gradient * scale[:, None], direction)


def _search(
    objective: Objective, which: np.ndarray, at: Points, value: np.ndarray, slope: Points, direction: Points
) -> tuple[np.ndarray, np.ndarray, Points]:
    """Halve each problem's step until its value falls; where it never does, the step is 0."""
    promised = _SUFFICIENT * (slope * direction).sum(1)
    length, new_value, new_gradient = np.ones(len(at)), value.copy(), slope.copy()
    open_ = np.arange(len(at))
    for _ in range(_HALVINGS):
        tried, gradient = objective(at[open_] + length[open_, None] * direction[open_], which[open_])
        falls = tried <= value[open_] + length[open_] * promised[open_]  # False for NaN
        new_value[open_[falls]], new_gradient[open_[falls]] = tried[falls], gradient[falls]
        open_ = open_[~falls]
        if not open_.size:
            return length, new_value, new_gradient
        length[open_] /= 2
    length[open_] = 0.0
    return length, new_value, new_gradient
