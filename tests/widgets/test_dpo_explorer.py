"""The DPO explorer computes in JavaScript what the package computes."""

import math
import random
import re

import pytest

from llmcourse.widgets import DPOExplorer, dpo_explorer

NAMES = ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")


def random_case(seed):
    rng = random.Random(seed)
    return {"beta": rng.uniform(0.01, 2)} | {name: rng.uniform(-60, 0) for name in NAMES}


CASES = [random_case(seed) for seed in range(200)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    harness = """process.stdout.write(JSON.stringify({
      answers: cases.map(lib.dpo), formatted: [0, -0.001, -1.5, 0.126928].map((x) => lib.formatNumber(x)),
      reach: [0, -8, 8.01, 40, -41, 240].map(lib.reachOf),
      small: [8, 0.693147, 0.0005, 4.54e-5, 0].map(lib.formatSmall) }));"""
    return run_javascript(dpo_explorer, harness, CASES)


def test_javascript_equals_the_package_on_random_pairs(javascript):
    for case, found in zip(CASES, javascript["answers"], strict=True):
        explorer = DPOExplorer(**case)
        assert (found["chosen"], found["rejected"]) == pytest.approx(explorer.rewards, rel=1e-9, abs=1e-12)
        assert found["loss"] == pytest.approx(explorer.loss, rel=1e-9)
        assert found["slope"] == pytest.approx(explorer.slope, rel=1e-9)
        assert found["weight"] * case["beta"] == pytest.approx(-explorer.slope, rel=1e-9)


def test_it_opens_before_the_first_step():
    explorer = DPOExplorer()
    assert explorer.loss == pytest.approx(math.log(2))
    assert explorer.slope == pytest.approx(-0.1 / 2)


def test_numbers_are_written_briefly(javascript):
    assert javascript["formatted"] == ["0.00", "0.00", "−1.50", "0.13"]
    assert javascript["small"] == ["8.000", "0.693", "0.001", "4.5e−5", "0.000"]


def test_the_widest_margin_of_the_sliders_is_still_drawn(javascript):
    widest = DPOExplorer(beta=2, policy_chosen=0, policy_rejected=-60, reference_chosen=-60, reference_rejected=0)
    assert widest.rewards == (120, -120)
    assert javascript["reach"] == [8, 8, 40, 40, 240, 240]


def test_output_is_stable():
    assert DPOExplorer().static_html() == DPOExplorer().static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": 0.0}, "beta is 0.0: it has to be from 0.01 to 2"),
        ({"policy_chosen": 0.5}, "policy_chosen is 0.5: a log-probability here is from -60 to 0"),
        ({"reference_rejected": -61.0}, "reference_rejected is -61.0"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        DPOExplorer(**options)
