"""The alignment sweep: each method moves the model as it should, and the stored table shows what it is quoted for."""

import numpy as np
import pytest

from llmcourse.alignment import preference_accuracy
from llmcourse.sweeps import load_table
from llmcourse.sweeps.alignment import run, train_reward_model
from llmcourse.sweeps.grocery_answers import human_pairs, join_pairs

TABLE = load_table("alignment")


@pytest.mark.parametrize(
    ("method", "strength"), [("dpo", 0.1), ("orpo", 1.0), ("simpo", 1.0), ("simpo_sum", 0.2), ("rlaif", 0.1)]
)
def test_a_few_steps_on_pairs_widen_the_gap(method: str, strength: float) -> None:
    settings = {"method": method, "strength": strength, "pairs": 64, "steps": 10, "seed": 0}
    found = run(settings, "cpu")
    assert found["chosen_gain"] > found["rejected_gain"]
    assert found["kl"] > 0.001
    assert run(settings, "cpu") == found


@pytest.mark.parametrize("method", ["ppo", "grpo"])
def test_a_few_turns_of_reinforcement_raise_the_true_reward(method: str) -> None:
    found = run({"method": method, "strength": 0.1, "pairs": 128, "steps": 10, "seed": 0}, "cpu")
    assert found["reward"] > 0.68
    assert len(found.get("kl_path", [0, 0])) == 2


def test_the_reward_model_agrees_with_people_on_pairs_that_it_has_not_seen() -> None:
    model = train_reward_model(0, 256, steps=60)
    unseen = join_pairs(human_pairs(9, 200))
    # People themselves go against their own formula in one pair of nine, and guess where it is a tie.
    assert preference_accuracy(*(model(*side) for side in unseen)) > 0.62


def mean(name: str, **settings: object) -> float:
    rows = TABLE.where(**settings)
    assert len(rows.rows) >= 3
    return float(rows.column(name).mean())


def test_the_table_shows_hacking_without_a_price() -> None:
    start = TABLE.where(method="sft").column("reward")[0]
    assert (TABLE.where(method="ppo", strength=0.0, pairs=1024).column("reward") < start).all()
    for row in TABLE.where(method="ppo", strength=0.0, pairs=1024).rows:
        assert row["proxy_path"][-1] > row["proxy_path"][0]
        assert row["reward_path"][-1] < row["reward_path"][0]


def test_the_table_shows_that_dpo_lowers_the_likelihood_of_what_was_chosen() -> None:
    assert (TABLE.where(method="dpo", strength=0.1).column("chosen_gain") < 0).all()
    assert TABLE.where(method="sft").column("chosen_gain")[0] == 0


@pytest.mark.parametrize("method", ["dpo", "ppo"])
def test_the_table_shows_that_a_larger_beta_stays_nearer(method: str) -> None:
    rows = TABLE.where(method=method, pairs=1024)
    kls = [rows.where(strength=beta).column("kl").mean() for beta in np.unique(rows.column("strength"))]
    assert kls == sorted(kls, reverse=True)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_the_table_shows_that_averages_keep_simpos_answers_shorter_than_sums(beta: float) -> None:
    averages, sums = (
        mean("length", method="simpo", strength=beta),
        mean("length", method="simpo_sum", strength=beta / 5),
    )
    assert averages < sums
