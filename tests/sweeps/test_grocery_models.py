"""The models that ship for the alignment sweep."""

import pytest
import torch

from llmcourse.sweeps.grocery_answers import measure
from llmcourse.sweeps.grocery_models import fine_tune, load_grocery_model


def test_both_models_are_mediocre_and_fine_tuning_helped() -> None:
    base, tuned = (measure(load_grocery_model(name), n=256) for name in ("base", "sft"))
    assert 0.25 < base["reward"] < 0.5 < tuned["reward"] < 0.75
    assert tuned["kl"] == pytest.approx(0.0, abs=1e-6)
    assert base["kl"] > 0.3


def test_fine_tuning_makes_its_answers_likely() -> None:
    model = load_grocery_model("base")
    before = model.embedding.weight.detach().clone()
    losses = [fine_tune(model, ["buy eggs milk :"], ["milk eggs ."], steps=20, lr=3e-3, batch_size=4) for _ in range(2)]
    assert losses[1] < losses[0] < 1.0
    assert not torch.equal(before, model.embedding.weight)


def test_a_model_that_does_not_ship_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no model 'big': choose base or sft"):
        load_grocery_model("big")
