"""The speculative decoding explorer computes in JavaScript what the package computes."""

import random
import re

import pytest

from llmcourse.inference import expected_speedup
from llmcourse.widgets import SpeculativeExplorer, speculative_explorer


def random_case(seed):
    rng = random.Random(seed)
    return {
        "acceptance": rng.choice([0.0, rng.uniform(0, 0.99)]),
        "draft_length": rng.randint(1, 16),
        "cost_ratio": rng.choice([0.0, rng.uniform(0, 0.5)]),
    }


CASES = [random_case(seed) for seed in range(200)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    harness = """process.stdout.write(JSON.stringify(cases.map(({ acceptance: a, draft_length: k, cost_ratio: c }) => (
      { tokens: lib.expectedTokens(a, k), speedup: lib.speedup(a, k, c), best: lib.bestLength(a, c) }))));"""
    return run_javascript(speculative_explorer, harness, CASES)


def test_javascript_equals_the_package_on_random_choices(javascript):
    for case, found in zip(CASES, javascript, strict=True):
        explorer = SpeculativeExplorer(**case)
        assert found["tokens"] == pytest.approx(explorer.tokens, abs=1e-9)
        assert found["speedup"] == pytest.approx(explorer.speedup, abs=1e-9)
        gains = [expected_speedup(case["acceptance"], n, case["cost_ratio"]) for n in range(17)]
        assert gains[found["best"]] == pytest.approx(gains[explorer.best_length]) == max(gains)


def test_tokens_a_round_in_closed_form(javascript):
    # Leviathan et al., equation 1: (1 - a^(K+1)) / (1 - a).
    for case, found in zip(CASES, javascript, strict=True):
        a, k = case["acceptance"], case["draft_length"]
        assert found["tokens"] == pytest.approx((1 - a ** (k + 1)) / (1 - a), rel=1e-12)
        assert found["speedup"] == pytest.approx(found["tokens"] / (1 + k * case["cost_ratio"]), rel=1e-12)


def test_a_draft_pays_only_where_it_is_right_more_often_than_it_costs(javascript):
    for case, found in zip(CASES, javascript, strict=True):
        pays = case["acceptance"] > case["cost_ratio"]
        assert (found["best"] > 0) == (SpeculativeExplorer(**case).best_length > 0) == pays
    assert {found["best"] > 0 for found in javascript} == {True, False}


def test_output_is_stable():
    assert SpeculativeExplorer().static_html() == SpeculativeExplorer().static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acceptance": 1.0}, "acceptance is 1.0: it has to be from 0 to 0.99"),
        ({"draft_length": 0}, "draft_length is 0: it has to be from 1 to 16"),
        ({"cost_ratio": -0.1}, "cost_ratio is -0.1"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SpeculativeExplorer(**options)
