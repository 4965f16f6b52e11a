"""Reward models: the last real token whatever the padding, training, and adapters alone."""

import pytest
import torch
from small_models import VOCAB_SIZE, random_pairs, small_model

from llmcourse.alignment import RewardModel, join_answers, reward_step
from llmcourse.architecture import add_lora


def test_the_score_is_at_the_last_real_token_whatever_stands_behind() -> None:
    model = RewardModel(small_model())
    prompts, answers = [[1, 2, 3], [4]], [[5, 6, 7], [8, 9]]
    together = model(*join_answers(prompts, answers, pad_token=11))
    alone = [model(torch.tensor([p + a])) for p, a in zip(prompts, answers, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone))
    by_hand = model.head(model.model.hidden(torch.tensor([[4, 8, 9]])))[0, -1, 0]
    torch.testing.assert_close(together[1], by_hand)
    nothing = model(torch.tensor([[1, 2]]), torch.tensor([[False, False]]))
    assert nothing.tolist() == [0.0]
    with pytest.raises(ValueError, match=r"mask is \(1, 3\)"):
        model(torch.tensor([[1, 2]]), torch.ones(1, 3, dtype=torch.bool))


def test_a_critic_does_not_see_the_token_that_it_judges() -> None:
    model = RewardModel(small_model())
    tokens = torch.randint(VOCAB_SIZE, (1, 6), generator=torch.Generator().manual_seed(0))
    values = model.values(tokens)
    torch.testing.assert_close(values[:, 1:], model.scores(tokens)[:, :-1])
    changed = tokens.clone()
    changed[0, 3] = (changed[0, 3] + 1) % VOCAB_SIZE
    torch.testing.assert_close(model.values(changed)[:, :4], values[:, :4])


@pytest.mark.parametrize("lora", [False, True])
def test_steps_learn_comparisons_and_hold_the_level(lora: bool) -> None:
    base = small_model()
    if lora:
        add_lora(base, rank=2, targets=("q", "v", "w1", "w2"))
    model = RewardModel(base)
    frozen = {name: p.clone() for name, p in model.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
    pairs = random_pairs(n=6)
    reports = [reward_step(model, optimizer, pairs, margin=0.5, centering=0.1) for _ in range(60)]
    assert reports[-1].metrics["accuracy"] == 1 and reports[-1].loss < reports[0].loss / 2
    assert abs(reports[-1].metrics["reward"]) < 0.5
    assert all(torch.equal(p, frozen[name]) for name, p in model.named_parameters() if name in frozen)


def test_bf16_scores_are_fp32() -> None:
    assert RewardModel(small_model().bfloat16())(torch.tensor([[1, 2]])).dtype == torch.float32
