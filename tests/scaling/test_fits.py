"""Fits: laws are recovered from their own data, agree with scipy's, and do not follow outliers."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize as scipy_minimize
from scipy.special import logsumexp

from llmcourse.scaling import (
    EPOCH_REFIT,
    HOFFMANN_TEX,
    ChinchillaFit,
    chinchilla_loss,
    compute_optimal,
    envelope_optima,
    fit_chinchilla,
    fit_power_law,
    isoflop_optima,
)
from llmcourse.scaling.lbfgs import minimize
from llmcourse.scaling.log_sum_law import LogSumLaw


def grid(n: int = 6) -> tuple[np.ndarray, np.ndarray]:
    sizes, tokens = np.meshgrid(np.logspace(7, 10, n), np.logspace(9, 12, n))
    return sizes.ravel(), tokens.ravel()


def test_lbfgs_finds_the_minimum_of_rosenbrocks_valley_from_everywhere() -> None:
    def valley(points, which):
        x, y = points.T
        slope = np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], 1)
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2, slope

    starts = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    points, values = minimize(valley, starts, tolerance=0.0, max_steps=2000)
    assert np.allclose(points, 1, atol=1e-5)
    assert values.max() < 1e-10


@pytest.mark.parametrize("irreducible", [False, True])
def test_the_gradient_is_the_slope(irreducible: bool) -> None:
    generator = np.random.default_rng(1)
    law = LogSumLaw(
        generator.normal(size=(2, 9)), generator.normal(size=9), generator.uniform(size=(3, 9)), 0.3, irreducible
    )
    points, which = generator.normal(size=(3, 4 + irreducible)), np.array([2, 0, 1])
    _, gradient = law(points, which)
    for column in range(points.shape[1]):
        shift = np.zeros(points.shape[1])
        shift[column] = 1e-6
        numeric = (law(points + shift, which)[0] - law(points - shift, which)[0]) / 2e-6
        assert gradient[:, column] == pytest.approx(numeric, rel=1e-6, abs=1e-8)


@settings(max_examples=15)
@given(
    exponent=st.floats(0.05, 1.5),
    log_coefficient=st.floats(-3, 8),
    floor=st.floats(0.1, 5),
)
def test_a_power_law_is_recovered(exponent: float, log_coefficient: float, floor: float) -> None:
    x = np.logspace(0, 4, 12)
    law = fit_power_law(x, np.exp(log_coefficient) * x**-exponent)
    assert (law.exponent, np.log(law.coefficient)) == pytest.approx((exponent, log_coefficient), rel=1e-9, abs=1e-9)
    y = floor + floor * np.exp(log_coefficient / 4) * x**-exponent
    law = fit_power_law(x, y, irreducible=True)
    assert law(x) == pytest.approx(y, rel=1e-5)
    assert law.irreducible == pytest.approx(floor, rel=0.02)


def test_a_line_through_total_losses_has_too_small_an_exponent() -> None:
    x = np.logspace(6, 9, 8)
    y = 1.8 + 480 * x**-0.35
    assert fit_power_law(x, y).exponent < 0.2
    assert fit_power_law(x, y, irreducible=True).exponent == pytest.approx(0.35, rel=1e-4)


def test_rising_powers_have_negative_exponents() -> None:
    x = np.logspace(18, 24, 5)
    assert fit_power_law(x, 0.1 * x**0.5).exponent == pytest.approx(-0.5)


@settings(max_examples=8)
@given(alpha=st.floats(0.2, 0.8), beta=st.floats(0.2, 0.8), floor=st.floats(0.5, 3))
def test_chinchillas_law_is_recovered(alpha: float, beta: float, floor: float) -> None:
    sizes, tokens = grid()
    truth = ChinchillaFit(E=floor, A=1e7**alpha, B=1e9**beta, alpha=alpha, beta=beta)
    fit = fit_chinchilla(sizes, tokens, chinchilla_loss(sizes, tokens, fit=truth))
    assert (fit.E, fit.alpha, fit.beta) == pytest.approx((floor, alpha, beta), rel=5e-3)
    assert chinchilla_loss(sizes, tokens, fit=fit) == pytest.approx(chinchilla_loss(sizes, tokens, fit=truth), rel=1e-4)


def test_the_fit_is_as_good_as_scipys() -> None:
    sizes, tokens = grid()
    noise = np.exp(np.random.default_rng(3).normal(0, 4e-3, sizes.size))
    losses = chinchilla_loss(sizes, tokens) * noise

    def objective(point: np.ndarray) -> float:
        a, alpha, b, beta, e = point
        terms = np.stack([a - alpha * np.log(sizes), b - beta * np.log(tokens), np.full(sizes.size, e)])
        size = np.abs(logsumexp(terms, axis=0) - np.log(losses))
        return 1e6 * np.where(size <= 1e-3, 0.5 * size**2, 1e-3 * (size - 5e-4)).sum()

    fit = fit_chinchilla(sizes, tokens, losses)
    ours = np.array([np.log(fit.A), fit.alpha, np.log(fit.B), fit.beta, np.log(fit.E)])
    polished = scipy_minimize(objective, ours, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-10})
    truth = np.array([np.log(482.01), 0.3478, np.log(2085.43), 0.3658, np.log(1.8172)])
    elsewhere = scipy_minimize(objective, truth, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-10})
    assert objective(ours) <= min(polished.fun, elsewhere.fun) * (1 + 1e-3)


def test_bad_runs_do_not_bend_the_law() -> None:
    sizes, tokens = grid()
    losses = chinchilla_loss(sizes, tokens)
    losses[[4, 17]] *= 1.3
    fit = fit_chinchilla(sizes, tokens, losses)
    assert (fit.E, fit.alpha, fit.beta) == pytest.approx((1.8172, 0.3478, 0.3658), rel=0.02)


def test_intervals_hold_the_truth_and_narrow_with_less_noise() -> None:
    sizes, tokens = grid()
    widths = []
    for spread in (1e-3, 1e-2):
        noise = np.exp(np.random.default_rng(5).normal(0, spread, sizes.size))
        fit = fit_chinchilla(sizes, tokens, chinchilla_loss(sizes, tokens) * noise, bootstraps=200)
        for name in ("E", "alpha", "beta"):
            low, high = fit.interval(name, confidence=0.99)
            assert low < getattr(EPOCH_REFIT, name) < high
        low, high = fit.interval("E")
        assert low <= fit.E <= high
        widths.append(high - low)
    assert 2 * widths[0] < widths[1]


def test_a_thousand_bootstraps_take_seconds_and_follow_their_seed() -> None:
    sizes, tokens = grid()
    losses = chinchilla_loss(sizes, tokens) * np.exp(np.random.default_rng(0).normal(0, 3e-3, sizes.size))
    begun = time.process_time()
    fit = fit_chinchilla(sizes, tokens, losses, bootstraps=1000)
    assert time.process_time() - begun < 30
    again = fit_chinchilla(sizes, tokens, losses, bootstraps=1000)
    assert np.array_equal(fit.bootstraps["E"], again.bootstraps["E"])
    assert fit == again


@pytest.mark.parametrize("truth", [EPOCH_REFIT, HOFFMANN_TEX])
def test_the_three_approaches_agree_on_a_law_that_holds(truth: ChinchillaFit) -> None:
    sizes, tokens = (g.ravel() for g in np.meshgrid(np.logspace(7, 11, 60), np.logspace(8, 12.5, 80)))
    envelope = envelope_optima(sizes, 6 * sizes * tokens, chinchilla_loss(sizes, tokens, fit=truth))
    assert envelope.exponent == pytest.approx(truth.exponent, abs=0.04)
    budgets = np.repeat(np.logspace(19, 22, 5), 7)
    near = compute_optimal(budgets, fit=truth)[0] * np.tile(np.logspace(-0.3, 0.3, 7), 5)
    isoflop = isoflop_optima(near, budgets, chinchilla_loss(near, budgets / 6 / near, fit=truth))
    assert isoflop.exponent == pytest.approx(truth.exponent, abs=0.01)
    assert isoflop.parameters == pytest.approx(compute_optimal(isoflop.flops, fit=truth)[0], rel=0.05)
    best = chinchilla_loss(*compute_optimal(isoflop.flops, fit=truth), fit=truth)
    assert isoflop.losses == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_power_law([1, 2], [1]), r"x has shape \(2,\) and y \(1,\)"),
        (lambda: fit_power_law([1, 2, 3], [1, 0, 2]), "needs finite numbers above 0"),
        (lambda: fit_power_law([1, 2, 2], [3, 2, 2], irreducible=True), "at least 3 different"),
        (lambda: fit_chinchilla([1, 2], [1, 2], [1]), "of equal length"),
        (lambda: fit_chinchilla([1e7, 1e8] * 5, np.logspace(8, 9, 10), np.ones(10)), "2 sizes on 10 lengths"),
        (lambda: fit_chinchilla(*grid(), np.full(36, np.nan)), "leave that run out"),
        (lambda: envelope_optima([1, 1, 2, 2], [1, 2, 1, 2], [2, 1, 2, 1]), "there are 2 sizes"),
        (lambda: isoflop_optima([1, 2, 4], [8, 8, 8], [3, 2, 1.5]), "the best size is not among those"),
        (lambda: isoflop_optima([1, 2, 4], [8, 8, 8], [1, 2, 1]), "the best size is not among those"),
        (lambda: isoflop_optima([1, 2], [8, 8], [1, 2]), "three make a parabola"),
    ],
)
def test_data_that_settle_nothing_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
