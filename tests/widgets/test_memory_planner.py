"""The memory planner shows, for each layout that it offers, what the package computes."""

import re
from itertools import product

import pytest

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism import plan_memory
from llmcourse.pretraining.parallelism.layout import Layout
from llmcourse.widgets import MemoryPlanner, memory_planner

HARNESS = """
const { choices, table, layouts } = cases;
const answer = (sizes) => {
  const memory = lib.memoryOf(sizes, choices, table);
  return { memory, total: lib.totalOf(memory) };
};
const formatted = [1234567, 12345, 1234, 5].map(lib.formatGB);
process.stdout.write(JSON.stringify({ answers: layouts.map(answer), formatted }));
"""

CONFIG = ModelConfig(vocab_size=512, d_model=256, n_layers=4, n_heads=8, n_kv_heads=4, d_ff=768)
OPTIONS = {"batch_size": 64, "seq_len": 512}
PLANNER = MemoryPlanner("a small one", CONFIG, **OPTIONS)
KEYS = ("data", "tensor", "pipeline", "zero_stage")
CASES = [
    dict(zip((*KEYS, "checkpointing"), sizes, strict=True))
    for sizes in product(*(PLANNER.choices[key] for key in KEYS), (False, True))
]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    inputs = {"choices": PLANNER.choices, "table": PLANNER.table, "layouts": CASES}
    return run_javascript(memory_planner, HARNESS, inputs)


def test_javascript_finds_each_layouts_memory(javascript):
    assert len(CASES) == len(PLANNER.table) == 7 * 3 * 3 * 4 * 2
    for case, found in zip(CASES, javascript["answers"], strict=True):
        plan = plan_memory(CONFIG, Layout(**case, n_micro_batches=64 // case["data"]), **OPTIONS)
        expected = {part: round(getattr(plan, part) / 1e6) for part in memory_planner.PARTS}
        assert found["memory"] == expected
        assert found["total"] == sum(expected.values()) == pytest.approx(plan.total / 1e6, abs=3)


def test_only_cuts_that_the_model_allows_are_offered():
    assert PLANNER.choices["tensor"] == [1, 2, 4]  # four heads of keys and values
    assert PLANNER.choices["pipeline"] == [1, 2, 4]  # four layers
    tied = ModelConfig(vocab_size=512, d_model=256, n_layers=4, n_heads=8, d_ff=768, tie_embeddings=True)
    assert MemoryPlanner("tied", tied, **OPTIONS).choices["pipeline"] == [1]


def test_the_chosen_layouts_plan_is_the_packages():
    planner = MemoryPlanner("a small one", CONFIG, **OPTIONS, data=8, tensor=2, zero_stage=2, checkpointing=True)
    layout = Layout(data=8, tensor=2, zero_stage=2, checkpointing=True, n_micro_batches=8)
    assert planner.plan == plan_memory(CONFIG, layout, **OPTIONS)


def test_sizes_are_written_with_their_unit(javascript):
    assert javascript["formatted"] == ["1235 GB", "12.3 GB", "1.23 GB", "0.01 GB"]


def test_output_is_stable_and_small():
    other = MemoryPlanner("a small one", CONFIG, **OPTIONS)
    assert PLANNER.static_html() == other.static_html()
    assert len(PLANNER.static_html()) < 60_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 48}, "batch_size is 48: give a multiple of 64"),
        ({"tensor": 8}, "tensor is 8: this model and batch can have 1, 2, 4"),
        ({"data": 3}, "data is 3: this model and batch can have 1, 2, 4, 8, 16, 32, 64"),
        ({"zero_stage": 4}, "zero_stage is 4: this model and batch can have 0, 1, 2, 3"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        MemoryPlanner("a small one", CONFIG, **OPTIONS | options)
