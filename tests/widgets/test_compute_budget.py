"""The compute budget computes in JavaScript what the package computes in Python, on random input."""

import json
import random
import re

import pytest

from llmcourse.scaling import EPOCH_REFIT, HOFFMANN_ROUNDED, ChinchillaFit, cheapest_for_loss, compute_optimal
from llmcourse.widgets import ComputeBudget, compute_budget

HARNESS = """
const tasks = {
  solve: ({ log_flops, log_served, constants }) => lib.solve(log_flops, log_served, constants),
  tokens: ([parameters, loss, constants]) => String(lib.tokensForLoss(parameters, loss, constants)),
  short: (number) => lib.short(number),
  ranges: () => lib.RANGES,
};
process.stdout.write(JSON.stringify(cases.inputs.map(tasks[cases.task])));
"""


@pytest.fixture(scope="module")
def javascript(run_javascript):
    """Return a function that runs one of the harness's tasks on many cases in one process of node."""
    return lambda task, inputs: run_javascript(compute_budget, HARNESS, {"task": task, "inputs": inputs})


def random_budget(seed):
    rng = random.Random(seed)
    fit = rng.choice([EPOCH_REFIT, HOFFMANN_ROUNDED])
    if rng.random() < 0.5:
        alpha, beta = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8)
        fit = ChinchillaFit(E=rng.uniform(0, 3), A=1e7**alpha, B=1e9**beta, alpha=alpha, beta=beta)
    served = 9.0 if rng.random() < 0.2 else rng.uniform(9, 16)
    return ComputeBudget(fit=fit, log_flops=rng.uniform(18, 27), log_served=served)


def test_javascript_equals_python_on_random_budgets_demands_and_laws(javascript):
    budgets = [random_budget(seed) for seed in range(200)]
    results = javascript("solve", [budget.state() for budget in budgets])
    moved = 0
    for budget, result in zip(budgets, results, strict=True):
        assert result["served"] == pytest.approx(budget.served, rel=1e-12)
        assert result["optimal"] == pytest.approx(budget.optimal, rel=1e-9)
        # Where the slope changes its sign is known to a few digits less than the cost there.
        assert result["used"] == pytest.approx(budget.used, rel=1e-6)
        moved += budget.used["parameters"] < 0.9 * budget.optimal["parameters"]
    assert moved > 40


def test_what_is_shown_is_what_the_package_says():
    budget = ComputeBudget(log_flops=23.0, log_served=12.5)
    parameters, tokens = compute_optimal(1e23)
    assert (budget.optimal["parameters"], budget.optimal["tokens"]) == pytest.approx((parameters, tokens))
    used = cheapest_for_loss(budget.optimal["loss"], 10**12.5)
    assert (budget.used["parameters"], budget.used["tokens"]) == pytest.approx(used)
    assert budget.used["loss"] == pytest.approx(budget.optimal["loss"], rel=1e-12)
    assert budget.used["lifetime"] < budget.optimal["lifetime"]
    assert budget.used["training"] > budget.optimal["training"]


def test_a_model_that_is_never_used_is_the_compute_optimal_one():
    budget = ComputeBudget(log_flops=21)
    assert budget.served == 0
    assert budget.used == pytest.approx(budget.optimal, rel=1e-6)


def test_a_model_that_is_too_small_needs_endless_text(javascript):
    constants = ComputeBudget().state()["constants"]
    assert javascript("tokens", [[1e3, 2.0, constants], [1e6, 1.8, constants]]) == ["Infinity", "Infinity"]


def test_counts_are_written_in_three_digits(javascript):
    cases = [0, 7, 999, 1000, 1234, 999_999, 8.03e9, 15e12, 1.2e15]
    assert javascript("short", cases) == ["0", "7", "999", "1k", "1.23k", "1M", "8.03B", "15T", "1.2Q"]


def test_the_sliders_have_the_ranges_that_python_accepts(javascript):
    (ranges,) = javascript("ranges", [None])
    for name, (low, high) in ranges.items():
        for value in (low, high):
            assert getattr(ComputeBudget(**{name: value}), name) == value
        for value in (low - 0.1, high + 0.1):
            with pytest.raises(ValueError, match=f"{name} is {value}: it must be from {low} to {high}"):
                ComputeBudget(**{name: value})


def test_repr_and_page_are_stable_and_hold_the_models():
    models = {"one": (1e9, 2e10), "two": (7e9, 2e12)}
    budget = ComputeBudget(models, log_served=12)
    assert repr(budget) == "ComputeBudget(2 models, 10^23.76 FLOP, 10^12 tokens served)"
    assert repr(ComputeBudget()) == "ComputeBudget(0 models, 10^23.76 FLOP, nothing served)"
    assert budget.static_html() == ComputeBudget(models, log_served=12).static_html()
    stored = re.search(r"^const state = (.*);$", budget.static_html(), re.MULTILINE)
    assert stored
    state = json.loads(stored[1])
    assert [model["name"] for model in state["models"]] == ["one", "two"]
    assert state["constants"] == {name: getattr(EPOCH_REFIT, name) for name in ("E", "A", "B", "alpha", "beta")}
    bundle = budget._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0]["text/plain"] == repr(budget)


@pytest.mark.parametrize("numbers", [(0, 1e9), (1e9, -1.0), (float("nan"), 1e9), (1e9, float("inf"))])
def test_a_model_without_a_place_is_refused(numbers):
    with pytest.raises(ValueError, match=r"model 'x' has .* both have to be positive"):
        ComputeBudget({"x": numbers})
