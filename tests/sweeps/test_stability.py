"""The table of the sweep "stability" says what the chapter says, and its runs are what their settings say."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import t as student

from llmcourse.sweeps import find_sweep, load_table, stability

BASE = {"max_lr": 6e-3, "warmup_steps": 40, "max_norm": 1.0, "spoiled": "no", "copies": 0.0, "weights": "fp32"}
BASE |= {"kept": 1.0, "qk_norm": False, "z_loss": 0.0}


def losses(**changes):
    return load_table("stability").where(**BASE | changes).column("loss")


def interval(differences):
    """Return a 99% interval for the mean of differences, seed by seed."""
    half = student.ppf(0.995, len(differences) - 1) * differences.std(ddof=1) / math.sqrt(len(differences))
    return differences.mean() - half, differences.mean() + half


def test_the_table_is_that_of_the_sweep():
    table, sweep = load_table("stability"), find_sweep("stability")
    assert table.about["hash"] == sweep.hash("cpu")
    assert len(table.rows) == len(sweep.runs("cpu")) == 105


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"warmup_steps": 0}, {}),
        ({"warmup_steps": 0, "max_lr": 2e-2}, {"max_lr": 2e-2}),
        ({"spoiled": "repeated", "max_norm": None}, {"spoiled": "repeated"}),
        ({"spoiled": "random", "max_norm": None}, {"spoiled": "random"}),
        ({"copies": 0.5}, {}),
        ({"kept": 0.5}, {}),
        ({"copies": 0.5}, {"kept": 0.5}),
        ({"max_lr": 0.2}, {"max_lr": 0.2, "qk_norm": True}),
        ({"weights": "bf16", "max_lr": 3e-4}, {"max_lr": 3e-4}),
    ],
)
def test_what_is_worse_is_so_for_each_seed_and_beyond_chance(changes, against):
    difference = losses(**changes) - losses(**against)
    assert (difference > 0).all()
    assert interval(difference)[0] > 0


def test_clipping_changes_little_on_clean_text():
    assert np.abs(losses(max_norm=None) - losses()).max() < 0.03


def test_computing_in_bf16_costs_nothing_with_weights_in_fp32():
    for max_lr in (6e-3, 3e-4):
        assert np.abs(losses(max_lr=max_lr, weights="fp32, bf16 compute") - losses(max_lr=max_lr)).max() < 0.02


def test_one_batch_in_forty_is_spoiled():
    text, settings = torch.arange(4000) % 500, {"batch_size": 2, "seq_len": 8, "steps": 80, "seed": 3}
    clean, repeated, random = (
        list(stability._batches(text, settings | {"spoiled": kind}, "cpu")) for kind in ("no", "repeated", "random")
    )
    for step, batches in enumerate(zip(clean, repeated, random, strict=True), start=1):
        (x, y), (x_repeated, y_repeated), (x_random, y_random) = batches
        torch.testing.assert_close(y, (x + 1) % 500)
        spoiled = step % 40 == 0
        assert torch.equal(x_repeated, x) != spoiled
        assert torch.equal(x_random, x) != spoiled
        if spoiled:
            assert x_repeated.unique().tolist() == y_repeated.unique().tolist() == [7]
            assert torch.equal(x_random[:, 1:], y_random[:, :-1])


def test_z_loss_changes_little_in_fp32():
    assert np.abs(losses(z_loss=1e-4) - losses()).max() < 0.03


def test_qk_norm_starts_from_the_weights_of_the_base():
    settings = BASE | {"seed": 3, "seq_len": 16}
    plain, normed = (stability._start(settings | {"qk_norm": on}) for on in (False, True))
    own = normed.state_dict()
    assert len(own) > len(plain.state_dict())
    assert all(torch.equal(tensor, own[name]) for name, tensor in plain.state_dict().items())


def test_z_loss_is_added_with_its_weight():
    settings = BASE | {"seed": 0, "seq_len": 16}
    model, (inputs, labels) = stability._start(settings), torch.randint(500, (2, 3, 16))
    plain, added = (stability._loss(model, inputs, labels, settings | {"z_loss": weight}) for weight in (0.0, 0.5))
    torch.testing.assert_close(added - plain, 0.5 * model(inputs).logsumexp(-1).square().mean())


def test_half_of_the_text_alone_is_what_stands_before_the_copies(monkeypatch):
    read = []
    monkeypatch.setattr(stability, "_train", lambda model, text, settings, device: read.append(text) or [1.0])
    monkeypatch.setattr(stability, "_evaluate", lambda *_: 0.0)
    for changes in ({}, {"copies": 0.5}, {"kept": 0.5}):
        stability.run(BASE | {"seed": 0, "seq_len": 16} | changes, "cpu")
    whole, copied, kept = read
    assert len(whole) == len(copied) == pytest.approx(2 * len(kept), abs=1)
    assert torch.equal(kept, whole[: len(kept)])
    assert torch.equal(kept[:-1], copied[: len(kept) - 1])


@pytest.mark.parametrize("share", [0.0, 0.5, 0.77])
def test_copies_take_the_place_of_text(share):
    text = torch.arange(1000)
    found = stability.with_copies(text, share)
    kept = 1000 - round(1000 * share)
    assert len(found) == 1000
    assert torch.equal(found[:kept], text[:kept])
    assert torch.equal(found[kept:], torch.arange(1000 - kept) % 20)


def test_weights_in_bf16_are_evaluated_as_they_are():
    settings = BASE | {"seed": 0, "steps": 3, "batch_size": 2, "seq_len": 16, "warmup_steps": 1}
    stability.run(settings | {"weights": "bf16"}, "cpu")  # would fail if anything were left in another dtype
    model = stability.architecture.start("base", seed=0, seq_len=16).bfloat16()
    settings["weights"] = "bf16"
    stability._train(model, torch.arange(4000) % 500, settings, "cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
