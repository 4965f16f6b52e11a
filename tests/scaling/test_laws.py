"""Kaplan's and Chinchilla's laws, what they say of budgets, over-training, and why the two differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from llmcourse.scaling import (
    EPOCH_REFIT,
    HOFFMANN_ROUNDED,
    HOFFMANN_TEX,
    ChinchillaFit,
    apparent_exponent,
    break_even_tokens,
    cheapest_for_loss,
    chinchilla_loss,
    compute_optimal,
    kaplan_compute_loss,
    kaplan_data_loss,
    kaplan_loss,
    kaplan_parameter_loss,
    local_exponent,
    overtraining_cost,
    tokens_for_loss,
    total_parameters,
)

FITS = st.sampled_from([EPOCH_REFIT, HOFFMANN_ROUNDED, HOFFMANN_TEX])


def test_ten_times_as_much_multiplies_by_the_same_factor_everywhere() -> None:
    sizes = np.logspace(6, 12, 7)
    assert kaplan_parameter_loss(sizes)[1:] / kaplan_parameter_loss(sizes)[:-1] == pytest.approx(10**-0.076)
    assert kaplan_data_loss(sizes)[1:] / kaplan_data_loss(sizes)[:-1] == pytest.approx(10**-0.095)
    assert kaplan_compute_loss(sizes)[1:] / kaplan_compute_loss(sizes)[:-1] == pytest.approx(10**-0.050)
    drops = -np.diff(kaplan_parameter_loss(sizes))
    assert (np.diff(drops) < 0).all()  # it subtracts less each time


def test_kaplans_laws_are_the_limits_of_the_joint_one() -> None:
    assert kaplan_loss(1e9, 1e25) == pytest.approx(float(kaplan_parameter_loss(1e9)), rel=1e-6)
    assert kaplan_loss(1e25, 1e9) == pytest.approx(float(kaplan_data_loss(1e9)), rel=1e-6)
    assert kaplan_parameter_loss(8.8e13) == kaplan_data_loss(5.4e13) == kaplan_compute_loss(3.1e8 * 8.64e19) == 1


@pytest.mark.parametrize(
    ("fit", "parameters", "ratio"), [(HOFFMANN_ROUNDED, 32e9, 93), (HOFFMANN_TEX, 40e9, 59), (EPOCH_REFIT, 72e9, 18.4)]
)
def test_the_optimum_for_chinchillas_budget(fit: ChinchillaFit, parameters: float, ratio: float) -> None:
    found, tokens = compute_optimal(5.76e23, fit=fit)
    assert found == pytest.approx(parameters, rel=0.01)
    assert tokens / found == pytest.approx(ratio, rel=0.005)


@given(fit=FITS, log_flops=st.floats(17, 27))
def test_the_closed_form_is_where_a_search_ends(fit: ChinchillaFit, log_flops: float) -> None:
    flops = 10**log_flops
    parameters, tokens = compute_optimal(flops, fit=fit)
    assert 6 * parameters * tokens == pytest.approx(flops, rel=1e-12)
    searched = minimize_scalar(
        lambda log_n: float(chinchilla_loss(np.exp(log_n), flops / 6 / np.exp(log_n), fit=fit)),
        bracket=(np.log(parameters) - 1, np.log(parameters) + 2),
        tol=1e-12,
    )
    assert np.exp(searched.x) == pytest.approx(parameters, rel=1e-4)
    assert chinchilla_loss(parameters, tokens, fit=fit) <= searched.fun * (1 + 1e-12)


def test_budgets_keep_their_shape() -> None:
    parameters, tokens = compute_optimal([[1e20, 1e21, 1e22]])
    assert parameters.shape == tokens.shape == (1, 3)
    ratio = parameters[0, 1:] / parameters[0, :-1]
    assert ratio == pytest.approx(10 ** (0.3658 / (0.3478 + 0.3658)))


@given(fit=FITS, log_flops=st.floats(19, 25), demand=st.floats(0, 30))
def test_the_cheapest_life_reaches_the_loss_and_no_neighbour_is_cheaper(
    fit: ChinchillaFit, log_flops: float, demand: float
) -> None:
    best, tokens = compute_optimal(10**log_flops, fit=fit)
    loss, served = float(chinchilla_loss(best, tokens, fit=fit)), demand * float(tokens)
    parameters, trained = cheapest_for_loss(loss, served, fit=fit)
    assert chinchilla_loss(parameters, trained, fit=fit) == pytest.approx(loss, rel=1e-9)
    cost = overtraining_cost(parameters, trained, served)
    for factor in (0.8, 0.99, 1.01, 1.25):
        other = factor * parameters
        assert overtraining_cost(other, tokens_for_loss(other, loss, fit=fit), served) > cost
    assert parameters <= best * (1 + 1e-6)


def test_with_nothing_to_serve_the_cheapest_is_the_compute_optimal() -> None:
    parameters, tokens = compute_optimal(1e22)
    found = cheapest_for_loss(float(chinchilla_loss(parameters, tokens)))
    assert found == pytest.approx((float(parameters), float(tokens)), rel=1e-6)


def test_at_the_break_even_both_lives_cost_the_same() -> None:
    large = tuple(map(float, compute_optimal(1e23)))
    loss = float(chinchilla_loss(*large))
    small = (0.5 * large[0], float(tokens_for_loss(0.5 * large[0], loss)))
    served = break_even_tokens(small, large)
    assert served > 0
    assert overtraining_cost(*small, served) == pytest.approx(float(overtraining_cost(*large, served)), rel=1e-12)
    assert overtraining_cost(*small, 2 * served) < overtraining_cost(*large, 2 * served)
    assert break_even_tokens((1.0, 1.0), (2.0, 1.0)) == 0.0


def test_a_model_that_is_too_small_never_gets_there() -> None:
    assert tokens_for_loss(1e3, 2.0) == np.inf
    with pytest.raises(ValueError, match=r"nothing is below E = 1\.8172"):
        tokens_for_loss(1e12, 1.8172)


def test_counting_without_embeddings_at_small_scale_gives_kaplans_exponent() -> None:
    # Pearce & Song report 0.78 with the refit's constants and 0.74 with Hoffmann's, from a grid of budgets.
    assert apparent_exponent(fit=EPOCH_REFIT) == pytest.approx(0.78, abs=0.01)
    assert apparent_exponent(fit=HOFFMANN_TEX) == pytest.approx(0.74, abs=0.015)
    assert apparent_exponent(omega=0.0) == pytest.approx(EPOCH_REFIT.exponent, rel=1e-6)
    assert apparent_exponent(smallest=1e13, largest=1e15) == pytest.approx(EPOCH_REFIT.exponent, abs=2e-3)


def test_local_exponents_have_pearce_and_songs_limits() -> None:
    alpha, beta = EPOCH_REFIT.alpha, EPOCH_REFIT.beta
    assert local_exponent(1e-6) == pytest.approx(beta / (alpha / 3 + beta), rel=1e-3)
    assert local_exponent(1e18) == pytest.approx(beta / (alpha + beta), rel=1e-3)


@pytest.mark.parametrize("size", [1e4, 1e7, 1e10])
def test_a_search_at_the_budget_of_a_size_finds_that_size(size: float) -> None:
    slope = float(local_exponent(size))

    def best(log_flops: float) -> float:
        return minimize_scalar(
            lambda log_n: float(chinchilla_loss(total_parameters(np.exp(log_n)), np.exp(log_flops - log_n) / 6)),
            bracket=(np.log(size) - 2, np.log(size) + 2),
            tol=1e-13,
        ).x

    low, high = -50.0, 120.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if best(middle) < np.log(size) else (low, middle)
    assert (best(low + 0.05) - best(low - 0.05)) / 0.1 == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kaplan_parameter_loss(0), "non_embedding is 0"),
        (lambda: kaplan_data_loss([1e9, -1]), "tokens is"),
        (lambda: chinchilla_loss(1e9, 0), "both have to be greater than 0"),
        (lambda: compute_optimal(-1), "flops is -1"),
        (lambda: overtraining_cost(1e9, 1e9, -1), "none may be negative"),
        (lambda: cheapest_for_loss(2.0, -1), "inference_tokens is -1"),
        (lambda: break_even_tokens((2e9, 1e9), (1e9, 1e9)), "give the smaller model first"),
        (lambda: apparent_exponent(smallest=2, largest=1), "smallest is 2"),
        (lambda: ChinchillaFit(E=1, A=1, B=1, alpha=0, beta=1), "alpha is 0"),
        (lambda: EPOCH_REFIT.interval("E"), "there are no bootstraps of 'E'"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
