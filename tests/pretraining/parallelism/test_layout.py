"""Layouts multiply to the GPUs, and only those that a model can be cut for come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism import STRATEGIES, Layout, kept_activations, layouts_of, pipeline_actions


@given(n_gpus=st.integers(1, 16), batch_size=st.integers(1, 24), tied=st.booleans())
def test_layouts_use_all_gpus_and_cut_evenly(n_gpus, batch_size, tied):
    config = ModelConfig(vocab_size=8, d_model=16, n_layers=3, n_heads=4, n_kv_heads=2, d_ff=32, tie_embeddings=tied)
    found = list(layouts_of(config, n_gpus, batch_size))
    assert len(set(found)) == len(found)
    for layout in found:
        assert layout.n_gpus == n_gpus
        assert layout.tensor in (1, 2)
        assert layout.pipeline <= (1 if tied else 3)
        assert batch_size % (layout.data * layout.n_micro_batches) == 0
        assert layout.parallel in {"", *STRATEGIES}
    assert bool(found) or n_gpus > 1


@given(p=st.integers(2, 6), m=st.integers(1, 12), schedule=st.sampled_from(["gpipe", "1f1b"]))
def test_micro_batches_in_flight_are_those_of_the_schedule(p, m, schedule):
    layout = Layout(pipeline=p, n_micro_batches=m, schedule=schedule)
    actions = pipeline_actions(schedule, p, m)
    assert [layout.in_flight(stage) for stage in range(p)] == [kept_activations(stage) for stage in actions]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("data", 0, "data is 0"), ("zero_stage", 4, "zero_stage is 4"), ("schedule", "x", "schedule is 'x'")],
)
def test_bad_values_are_quoted(field, value, message):
    with pytest.raises(ValueError, match=message):
        Layout(**{field: value})
