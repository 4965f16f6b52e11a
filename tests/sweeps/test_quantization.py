"""The table of the sweep "quantization" says what the chapter says, and the model that ships is the table's."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import t as student

from llmcourse.pretraining import get_batch
from llmcourse.sweeps import architecture, find_sweep, load_table
from llmcourse.sweeps.quantization import METHODS, load_quantization_model, quantize_with, run


def column(method, name="loss"):
    return load_table("quantization").where(method=method).column(name)


def interval(differences):
    """Return a 95% interval for the mean of differences, seed by seed."""
    half = student.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / math.sqrt(len(differences))
    return differences.mean() - half, differences.mean() + half


def test_the_table_is_that_of_the_sweep():
    table, sweep = load_table("quantization"), find_sweep("quantization")
    assert table.about["hash"] == sweep.hash("cpu")
    assert len(table.rows) == len(sweep.runs("cpu")) == 3 * len(METHODS)


def test_eight_bits_cost_nothing_that_matters():
    for method in ("INT8 rows", "INT8 rows, inputs too", "LLM.int8", "SmoothQuant", "Q8_0"):
        assert np.abs(column(method) - column("FP16")).max() < 0.005, method


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("INT4", "INT4 zero-point"),
        ("INT4", "NF4"),
        ("INT4, groups of 256", "INT4"),
        ("INT4 zero-point", "INT4 zero-point, groups of 32"),
        ("INT4 zero-point", "GPTQ"),
        ("INT4 zero-point", "GPTQ act-order"),
        ("Q4_0", "Q4_K"),
        ("INT2 zero-point", "INT3 zero-point"),
        ("INT3 zero-point", "INT4 zero-point"),
        ("NF2", "NF3"),
        ("NF3", "NF4"),
        ("NF4", "FP16"),
    ],
)
def test_what_is_worse_is_so_for_each_seed_and_beyond_chance(worse, better):
    difference = column(worse, "kl") - column(better, "kl")
    assert (difference > 0).all()
    assert interval(difference)[0] > 0


def test_double_quantization_costs_nothing():
    assert np.abs(column("NF4 double") - column("NF4")).max() < 0.003
    assert (column("NF4 double", "bits") < column("NF4", "bits")).all()


@pytest.mark.parametrize(
    ("method", "bits"),
    [
        ("FP16", 16),
        ("INT4", 4.25),
        ("INT4 zero-point", 4.375),  # a byte for each zero-point
        ("NF4", 4.25),
        ("NF4 double", 4.127),
        ("Q8_0", 8.5),
        ("Q4_0", 4.5),
        ("Q4_K", 4.5),
        ("GPTQ", 4.375),
        ("INT2 zero-point", 2 + 18 / 64),
    ],
)
def test_bits_count_scales(method, bits):
    assert column(method, "bits") == pytest.approx([bits] * 3, abs=0.003)


@pytest.mark.parametrize("method", ["FP16", "INT4"])
def test_a_live_run_on_the_model_that_ships_repeats_the_table(method, monkeypatch):
    model = load_quantization_model()
    state = {name: value for name, value in model.state_dict().items() if name != "output.weight"}
    monkeypatch.setattr("llmcourse.sweeps.quantization._trained", lambda *_: state)
    (settings,) = (s for s in find_sweep("quantization").runs("cpu") if s["method"] == method and s["seed"] == 0)
    found = run(settings, "cpu")
    (row,) = load_table("quantization").where(method=method, seed=0).rows
    assert found["bits"] == row["bits"] and found["corpus"] == row["corpus"]
    assert found["loss"] == pytest.approx(row["loss"], abs=1e-3)


def test_every_method_quantizes_every_layer():
    training, _, _ = architecture.held_out_split()
    calibration, _ = get_batch(training, 4, 32, generator=torch.Generator().manual_seed(0))
    for method in METHODS:
        model, bits = quantize_with(load_quantization_model(), method, calibration)
        assert 2 <= bits <= 16
        plain = [name for name, layer in model.named_modules() if type(layer) is torch.nn.Linear]
        assert plain == ["output"], method
    with pytest.raises(ValueError, match="there is no method 'INT5': choose one of FP16, INT8 one scale"):
        quantize_with(load_quantization_model(), "INT5", calibration)
