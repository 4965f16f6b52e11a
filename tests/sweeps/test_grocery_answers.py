"""Answers, comparisons and measures that all runs of the alignment sweep share."""

import pytest
import torch

from llmcourse.alignment import answer_logits
from llmcourse.sweeps.grocery_answers import TASK, draw_answers, gains, human_pairs, join_pairs, measure
from llmcourse.sweeps.grocery_models import load_grocery_model


def test_people_compare_two_answers_of_the_model_and_mostly_prefer_the_better() -> None:
    pairs = human_pairs(3, 200)
    assert human_pairs.__wrapped__(3, 200) == pairs
    better = [TASK.human_utility(p, chosen) - TASK.human_utility(p, rejected) for p, chosen, rejected in pairs]
    assert 0.7 < sum(ahead > 0 for ahead in better) / len(better) < 0.98


def test_rows_hold_the_texts() -> None:
    pairs = human_pairs(3, 200)[:5]
    rows = join_pairs(pairs)
    for place, (prompt, chosen, rejected) in enumerate(pairs):
        for side, answer in zip(rows, (chosen, rejected), strict=True):
            assert TASK.decode(side.tokens[place].tolist()) == f"{prompt} {answer}"
            assert TASK.decode(side.tokens[place][side.mask[place]].tolist()) == answer


def test_the_exact_kl_is_what_many_samples_of_the_log_ratio_estimate() -> None:
    base, reference = load_grocery_model("base"), load_grocery_model("sft")
    prompts = TASK.prompts(2000, seed=5)
    drawn, _ = draw_answers(base, prompts, seed=0)
    with torch.no_grad():
        tokens = drawn.answers.tokens[:, 1:][drawn.answers.mask[:, 1:]][:, None]
        one, other = (answer_logits(m, drawn.answers).log_softmax(-1).gather(1, tokens) for m in (base, reference))
    ratios = one - other
    assert measure(base)["kl"] == pytest.approx(float(ratios.sum()) / 2000, abs=0.15)


def test_the_reference_has_gained_nothing() -> None:
    assert gains(load_grocery_model("sft"), seed=3, n=200) == {"chosen_gain": 0.0, "rejected_gain": 0.0}
