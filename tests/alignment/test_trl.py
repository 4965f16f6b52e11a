"""Losses against TRL's own code, whose results ``trl_fixtures.py`` has frozen: within 1e-6 in fp64."""

import json
from pathlib import Path

import pytest
import torch

from llmcourse.alignment import dpo_loss, grpo_loss, implicit_rewards, orpo_loss, simpo_loss, whiten

FROZEN = json.loads(Path(__file__).with_name("trl_fixtures.json").read_text())
PAIRS, GRPO, WHITENING = FROZEN["pairs"], FROZEN["grpo"], FROZEN["whitening"]


def tensor(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def assert_equal(found: torch.Tensor, expected) -> None:
    torch.testing.assert_close(found, tensor(expected), rtol=1e-6, atol=1e-6)


def test_the_fixtures_are_trls() -> None:
    assert FROZEN["versions"]["trl"] == "0.24.0"
    assert max(abs(x) for x in PAIRS["four"][0]) > 100, "far margins are among them"


@pytest.mark.parametrize("case", PAIRS["dpo"], ids=lambda case: f"{case['variant']}-{case['label_smoothing']}")
def test_dpo_and_ipo(case) -> None:
    four = [tensor(one) for one in PAIRS["four"]]
    options = {name: case[name] for name in ("beta", "label_smoothing", "variant")}
    assert_equal(dpo_loss(*four, **options), case["losses"])
    for side, expected in enumerate(case["rewards"]):
        assert_equal(implicit_rewards(four[side], four[side + 2], beta=case["beta"]), expected)


@pytest.mark.parametrize("case", PAIRS["simpo"], ids=lambda case: f"{case['beta']}-{case['gamma']}")
def test_simpo(case) -> None:
    averages = [tensor(one) for one in PAIRS["averages"]]
    assert_equal(simpo_loss(*averages, beta=case["beta"], gamma=case["gamma"]), case["losses"])


@pytest.mark.parametrize("case", PAIRS["orpo"], ids=lambda case: f"{case['weight']}")
def test_orpo(case) -> None:
    averages = [tensor(one) for one in PAIRS["averages"]]
    assert_equal(orpo_loss(*averages, weight=case["weight"]), case["losses"])


@pytest.mark.parametrize("case", GRPO["cases"], ids=lambda case: "-".join(map(str, case["options"].values())))
def test_grpo_and_its_gradient(case) -> None:
    old, reference = tensor(GRPO["old"]), tensor(GRPO["reference"])
    mask = torch.arange(old.shape[1]) < torch.tensor(GRPO["lengths"])[:, None]
    leaf = tensor(GRPO["new"]).requires_grad_()
    loss = grpo_loss(
        leaf,
        old,
        tensor(GRPO["rewards"]),
        mask,
        group_size=GRPO["group_size"],
        reference_log_probs=reference,
        **case["options"],
    )
    assert_equal(loss.detach(), case["loss"])
    assert_equal(torch.autograd.grad(loss, leaf)[0], case["gradient"])


def test_whitening_where_the_mask_is_true() -> None:
    values, mask = tensor(WHITENING["values"]), torch.tensor(WHITENING["mask"])
    for name, shift_mean in (("shifted", True), ("unshifted", False)):
        assert_equal(whiten(values, mask, shift_mean=shift_mean)[mask], tensor(WHITENING[name])[mask].tolist())
