"""Online preferences: the best against the worst of each group, and a policy that learns from its own answers."""

import copy

import pytest
import torch
from small_models import random_pairs, small_model

from llmcourse.alignment import Rollouts, dpo_step, online_pairs, roll_out, share_prompts


def test_the_best_is_paired_with_the_worst_where_they_differ() -> None:
    answers = random_pairs(n=6).chosen
    drawn = Rollouts(answers, torch.zeros(answers.tokens.shape), torch.ones(6, dtype=torch.bool))
    pairs = online_pairs(drawn, torch.tensor([1.0, 3.0, 2.0, 5.0, 5.0, 5.0]), group_size=3)
    assert torch.equal(pairs.chosen.tokens, answers.tokens[1:2]) and torch.equal(pairs.chosen.mask, answers.mask[1:2])
    assert torch.equal(pairs.rejected.tokens, answers.tokens[0:1])
    assert online_pairs(drawn, torch.ones(6), group_size=3) is None


def test_dpo_on_its_own_answers_earns_rewards() -> None:
    policy = small_model()
    reference = copy.deepcopy(policy)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=0.01)
    means = []
    for step in range(15):
        drawn = roll_out(policy, [[1], [2, 3], [4, 5]], 4, stop_tokens=[0], group_size=8, seed=step)
        rewards = torch.tensor([sum(token == 7 for token in text) / len(text) for text in drawn.texts()])
        means.append(rewards.mean().item())
        pairs = online_pairs(drawn, rewards, group_size=8)
        if pairs is not None:
            dpo_step(policy, reference, optimizer, share_prompts(*pairs), beta=0.1)
    assert sum(means[-3:]) / 3 > sum(means[:3]) / 3 + 0.2


@pytest.mark.parametrize(("n", "group_size"), [(6, 1), (6, 4), (5, 5)])
def test_what_makes_no_groups_is_refused(n: int, group_size: int) -> None:
    answers = random_pairs(n=6).chosen
    drawn = Rollouts(answers, torch.zeros(answers.tokens.shape), torch.ones(6, dtype=torch.bool))
    with pytest.raises(ValueError, match=rf"rewards are \({n},\), answers 6 and group_size is {group_size}"):
        online_pairs(drawn, torch.zeros(n), group_size=group_size)
