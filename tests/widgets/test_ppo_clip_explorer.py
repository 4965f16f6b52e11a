"""The PPO clip explorer computes in JavaScript what the package computes."""

import random
import re

import pytest

from llmcourse.widgets import PPOClipExplorer, ppo_clip_explorer


def random_case(seed):
    rng = random.Random(seed)
    return {"ratio": rng.uniform(0.05, 3), "advantage": rng.uniform(-3, 3), "clip": rng.uniform(0.05, 0.5)}


CASES = [random_case(seed) for seed in range(200)]
FIXED = [
    ({"ratio": 1.5, "advantage": 1.0, "clip": 0.2}, "cut off: no gradient"),
    ({"ratio": 0.5, "advantage": 1.0, "clip": 0.2}, "becomes likelier"),
    ({"ratio": 0.5, "advantage": -1.0, "clip": 0.2}, "cut off: no gradient"),
    ({"ratio": 1.5, "advantage": -1.0, "clip": 0.2}, "becomes less likely"),
    ({"ratio": 1.5, "advantage": 0.0, "clip": 0.2}, "nothing to learn"),
]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    harness = """process.stdout.write(JSON.stringify(cases.map((one) => (
      { ...lib.clipped(one), verdict: lib.verdict(one),
        branch: lib.branch(one), top: lib.tallest(one.advantage) }))));"""
    return run_javascript(ppo_clip_explorer, harness, [*CASES, *(case for case, _ in FIXED)])


def test_javascript_equals_the_package_on_random_tokens(javascript):
    for case, found in zip(CASES, javascript, strict=False):
        explorer = PPOClipExplorer(**case)
        assert found["objective"] == pytest.approx(explorer.objective, rel=1e-9, abs=1e-12)
        assert found["slope"] == pytest.approx(explorer.slope, rel=1e-9, abs=1e-12)
    assert {found["flat"] for found in javascript} == {True, False}


def test_what_becomes_of_the_token(javascript):
    found = javascript[len(CASES) :]
    assert [one["verdict"] for one in found] == [verdict for _, verdict in FIXED]
    assert [one["branch"] for one in found] == ["clip(ρ) A", "ρ A", "clip(ρ) A", "ρ A", "both, equal"]


def test_the_gradient_is_zero_where_the_clipped_branch_is_taken(javascript):
    for case, found in zip(CASES, javascript, strict=False):
        moved_too_far = (case["ratio"] - 1) * (1 if case["advantage"] > 0 else -1) > case["clip"]
        assert (found["branch"] == "clip(ρ) A") == (found["slope"] == 0) == moved_too_far


def test_no_part_of_a_curve_is_cut_off(javascript):
    for case, found in zip(CASES, javascript, strict=False):
        ends = [abs(PPOClipExplorer(**case | {"ratio": ratio}).objective) for ratio in (0.05, 3.0)]
        assert max(ends) <= found["top"] <= 9


def test_output_is_stable():
    assert PPOClipExplorer().static_html() == PPOClipExplorer().static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 0.0}, "ratio is 0.0: it has to be from 0.05 to 3"),
        ({"advantage": 4.0}, "advantage is 4.0: it has to be from -3 to 3"),
        ({"clip": 0.6}, "clip is 0.6: it has to be from 0.05 to 0.5"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PPOClipExplorer(**options)
