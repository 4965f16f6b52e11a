"""The schedule explorer computes in JavaScript the rates that the package gives."""

import random
import re
from typing import Any

import pytest

from llmcourse.pretraining import cosine_schedule
from llmcourse.widgets import ScheduleExplorer, schedule_explorer

HARNESS = """
const answer = (sizes) => ({
  rates: [0, 1, sizes.warmup_steps, sizes.step, sizes.total_steps - sizes.decay_steps, sizes.total_steps].map(
    (step) => lib.rate(step, sizes),
  ),
  mean: lib.meanRate(sizes),
});
const formatted = [0, 3e-4, 1.5e-5, 1].map(lib.formatRate);
process.stdout.write(JSON.stringify({ answers: cases.map(answer), formatted }));
"""


def random_case(seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    total_steps, max_lr = rng.choice([10, 11, rng.randint(10, 3000)]), 10 ** rng.uniform(-5, 0)
    return {
        "kind": rng.choice(["cosine", "wsd"]),
        "total_steps": total_steps,
        "warmup_steps": rng.choice([0, rng.randint(0, total_steps // 2)]),
        "decay_steps": rng.choice([0, rng.randint(0, total_steps // 2)]),
        "max_lr": max_lr,
        "min_lr": rng.choice([0.0, max_lr / 10, max_lr]),
        "step": rng.randint(0, total_steps),
    }


CASES = [random_case(seed) for seed in range(200)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    return run_javascript(schedule_explorer, HARNESS, CASES)


def test_javascript_equals_the_package_on_random_schedules(javascript):
    for case, found in zip(CASES, javascript["answers"], strict=True):
        explorer, total = ScheduleExplorer(**case), case["total_steps"]
        steps = [0, 1, case["warmup_steps"], case["step"], total - case["decay_steps"], total]
        rates = [explorer.lr(step) for step in steps]
        assert found["rates"] == pytest.approx(rates, rel=1e-12, abs=1e-15 * case["max_lr"])
        assert found["mean"] == pytest.approx(explorer.mean_lr, rel=1e-9)


def test_the_rates_are_the_functions():
    explorer = ScheduleExplorer(total_steps=40, warmup_steps=4, max_lr=1.0, min_lr=0.1)
    for step in range(41):
        expected = cosine_schedule(step, max_lr=1.0, min_lr=0.1, warmup_steps=4, total_steps=40)
        assert explorer.lr(step) == expected


def test_means_in_closed_form():
    # Without a warm-up: a cosine to 0 has a mean of one half; a level rate one; half a run of linear decay 3/4.
    sizes = {"total_steps": 100_000, "warmup_steps": 0, "max_lr": 1.0, "step": 0}
    assert ScheduleExplorer("cosine", **sizes).mean_lr == pytest.approx(1 / 2, abs=1e-4)
    assert ScheduleExplorer("wsd", decay_steps=0, **sizes).mean_lr == 1
    assert ScheduleExplorer("wsd", decay_steps=50_000, **sizes).mean_lr == pytest.approx(3 / 4, abs=1e-4)


def test_rates_are_written_briefly(javascript):
    assert javascript["formatted"] == ["0", "3.00e−4", "1.50e−5", "1.00e0"]


def test_output_is_stable():
    assert ScheduleExplorer("wsd").static_html() == ScheduleExplorer("wsd").static_html()
    assert repr(ScheduleExplorer()) == "ScheduleExplorer(cosine, 1000 steps, 100 of warm-up, step 500)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "linear"}, "kind is 'linear': choose 'cosine' or 'wsd'"),
        ({"total_steps": 5}, "total_steps is 5: it has to be from 10 to 1,000,000"),
        ({"warmup_steps": 501}, "warmup_steps is 501: it has to be from 0 to half of total_steps, 500"),
        ({"decay_steps": -1}, "decay_steps is -1"),
        ({"step": 1001}, "step is 1001: it has to be from 0 to total_steps, 1000"),
        ({"max_lr": 0.0}, "min_lr is 0.0 and max_lr 0.0"),
        ({"min_lr": 1.0}, "min_lr is 1.0 and max_lr 0.0003"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ScheduleExplorer(**options)
