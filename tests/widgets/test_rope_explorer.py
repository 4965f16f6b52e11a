"""The RoPE explorer computes in JavaScript what the package computes in torch."""

import random
import re
from typing import Any

import pytest
import torch

from llmcourse.architecture import apply_rope, rope_frequencies
from llmcourse.widgets import RoPEExplorer, rope_explorer

HARNESS = """
const answer = ({ head_dim, theta, pair, position }) => ({
  frequency: lib.frequency(pair, head_dim, theta),
  product: lib.product(position, head_dim, theta),
  wavelength: lib.wavelength(pair, head_dim, theta),
});
const sliders = {
  position: [0, 1000].map(lib.positionOfSlider),
  theta: [0, 300, 600].map(lib.thetaOfSlider),
  distances: lib.distances(),
};
process.stdout.write(JSON.stringify({ answers: cases.map(answer), sliders }));
"""


def random_case(seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    head_dim = 2 * rng.randint(1, 128)
    return {
        "head_dim": head_dim,
        "theta": rng.choice([10.0, 10_000.0, 500_000.0, 10 ** rng.uniform(1, 7)]),
        "pair": rng.randrange(head_dim // 2),
        "position": rng.choice([0, 1, rng.randint(0, 4096)]),
    }


CASES = [random_case(seed) for seed in range(200)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    return run_javascript(rope_explorer, HARNESS, CASES)


def test_javascript_python_and_torch_agree_on_random_choices(javascript):
    for case, found in zip(CASES, javascript["answers"], strict=True):
        explorer = RoPEExplorer(**case)
        frequencies = rope_frequencies(case["head_dim"], theta=case["theta"])
        assert found["frequency"] == pytest.approx(explorer.frequency(case["pair"]), rel=1e-12)
        assert found["frequency"] == pytest.approx(frequencies[case["pair"]].item(), rel=2e-6)
        assert found["wavelength"] == pytest.approx(2 * torch.pi / frequencies[case["pair"]].item(), rel=2e-6)
        assert found["product"] == pytest.approx(explorer.product(case["position"]), abs=1e-9)


def test_product_is_that_of_a_rotated_query_and_key(javascript):
    for case, found in list(zip(CASES, javascript["answers"], strict=True))[:60]:
        ones = torch.ones(1, 1, 1, case["head_dim"])
        query = apply_rope(ones, torch.tensor([case["position"] + 3]), theta=case["theta"])
        key = apply_rope(ones, torch.tensor([3]), theta=case["theta"])
        # Angles of some thousand radians have an fp32 error of 1e-4 each.
        assert (query * key).mean().item() == pytest.approx(found["product"], abs=1e-3)


def test_sliders_reach_both_ends(javascript):
    sliders = javascript["sliders"]
    assert sliders["position"] == [0, 4096]
    assert sliders["theta"] == [10, 10_000, 10_000_000]
    assert sliders["distances"][0] == 0
    assert sliders["distances"][-1] == 4096
    assert sliders["distances"] == sorted(set(sliders["distances"]))


def test_angle_follows_the_traits():
    explorer = RoPEExplorer(8, theta=10_000.0, pair=2, position=300)
    assert explorer.angle == pytest.approx(3.0)
    explorer.position = 100
    assert explorer.angle == pytest.approx(1.0)


def test_output_is_stable():
    explorer = RoPEExplorer(position=40, pair=3)
    assert repr(explorer) == "RoPEExplorer(head_dim=64, theta=10000, pair=3, position=40)"
    assert explorer.static_html() == RoPEExplorer(position=40, pair=3).static_html()
    assert explorer.static_html() != RoPEExplorer(position=41, pair=3).static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head_dim": 7}, "head_dim is 7: it has to be even"),
        ({"head_dim": 258}, "head_dim is 258"),
        ({"theta": 1.0}, "theta is 1.0: it has to be from 10"),
        ({"pair": 32}, "pair is 32: it has to be from 0 to 31"),
        ({"position": 4097}, "position is 4097"),
        ({"position": -1}, "position is -1"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RoPEExplorer(**options)
