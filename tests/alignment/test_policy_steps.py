"""PPO and GRPO: the optimum of a bandit in closed form, which DPO reaches too, and rewards that a program gives."""

import copy

import pytest
import torch
from small_models import random_pairs, small_model
from torch import nn

from llmcourse.alignment import (
    AdaptiveKL,
    RewardModel,
    Rollouts,
    answer_log_probs,
    dpo_loss,
    grpo_step,
    judge_rollouts,
    ppo_step,
    roll_out,
)
from llmcourse.architecture import add_lora

ARMS = torch.tensor([1.0, 0.5, 0.0, -0.5, 0.8])
BETA = 0.5


class OneValue(nn.Module):
    """A critic that expects one number everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(()))

    def values(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.level.expand(tokens.shape)


def bandit() -> tuple[nn.Embedding, nn.Embedding, torch.Tensor]:
    """A reference over five arms, a policy to train, and the optimum of E r - beta KL: ref exp(r / beta) / Z."""
    torch.manual_seed(0)
    reference = nn.Embedding(5, 5)
    optimum = (reference.weight[0].detach() + ARMS / BETA).softmax(-1)
    return reference, copy.deepcopy(reference), optimum


def test_ppo_reaches_the_optimum_of_reward_less_kl() -> None:
    reference, policy, optimum = bandit()
    critic = OneValue()
    optimizer = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=0.05)
    for step in range(100):
        drawn = roll_out(policy, [[0]], 1, group_size=256, seed=step)
        scores = ARMS[torch.tensor(drawn.texts()).flatten()]
        batch = judge_rollouts(policy, reference, critic, drawn, scores, beta=BETA, whitened=False)
        for _ in range(2):
            ppo_step(policy, critic, optimizer, batch, value_clip=float("inf"))
    # At the optimum r - beta log(pi / ref) is the same for every arm, so that the noise of the draws ends with it.
    torch.testing.assert_close(policy.weight[0].softmax(-1), optimum, rtol=0, atol=0.01)
    start = reference.weight[0].softmax(-1)
    assert (start - optimum).abs().max() > 0.15, "the reference is far from it"
    best = BETA * (reference.weight[0].softmax(-1) * (ARMS / BETA).exp()).sum().log()
    assert critic.level.item() == pytest.approx(best.item(), abs=0.03)  # beta log Z, the value of the optimum


def test_dpo_reaches_the_same_optimum_from_comparisons() -> None:
    reference, policy, optimum = bandit()
    i, j = (side.flatten() for side in torch.meshgrid(torch.arange(5), torch.arange(5), indexing="ij"))
    wins = (ARMS[i] - ARMS[j]).sigmoid()  # of all comparisons of two arms, weighted as often as they come
    optimizer = torch.optim.LBFGS(policy.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        now, before = (table.weight[0].log_softmax(-1) for table in (policy, reference))
        loss = (wins * dpo_loss(now[i], now[j], before[i], before[j], beta=BETA)).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(policy.weight[0].softmax(-1), optimum, rtol=1e-3, atol=1e-4)


def count_sevens(found: Rollouts) -> torch.Tensor:
    return torch.tensor([sum(token == 7 for token in text) / len(text) for text in found.texts()])


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("method", ["ppo", "grpo"])
def test_rewards_that_a_program_verifies_are_earned(method: str, lora: bool) -> None:
    policy = small_model()
    reference = None if lora else copy.deepcopy(policy)
    if lora:
        add_lora(policy, rank=2, targets=("q", "v", "w1", "w2"))
    frozen = {name: p.clone() for name, p in policy.named_parameters() if not p.requires_grad}
    critic = RewardModel(small_model(1))
    trained = [p for p in policy.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([*trained, *(critic.parameters() if method == "ppo" else ())], lr=0.01)
    means, price = [], AdaptiveKL(beta=0.01, target=5.0)
    for step in range(16):
        drawn = roll_out(policy, [[1], [2, 3]], 4, stop_tokens=[0], group_size=16, seed=step)
        scores = count_sevens(drawn)
        means.append(scores.mean().item())
        batch = judge_rollouts(policy, reference, critic, drawn, scores, beta=price.beta)
        price.update(batch.kl, len(scores))
        for turn in range(2):
            if method == "ppo":
                report = ppo_step(policy, critic, optimizer, batch, entropy_weight=0.001)
            else:
                report = grpo_step(policy, reference, optimizer, drawn, scores, group_size=16, beta=0.01)
            if turn == 0:
                assert report.metrics["kl"] == pytest.approx(0, abs=1e-6) and report.metrics["clip_fraction"] == 0
        assert report.metrics["kl"] > 0
    assert sum(means[-4:]) / 4 > sum(means[:4]) / 4 + 0.2
    assert all(torch.equal(p, frozen[name]) for name, p in policy.named_parameters() if name in frozen)


def test_padding_does_not_leak_into_advantages_or_the_kl() -> None:
    policy, reference, critic = small_model(), small_model(2), RewardModel(small_model(1))
    answers = random_pairs(n=4).chosen
    scores = torch.tensor([1.0, -1.0, 0.5, 2.0])
    with torch.no_grad():
        drawn = Rollouts(answers, answer_log_probs(policy, answers), torch.ones(4, dtype=torch.bool))
        batch = judge_rollouts(policy, reference, critic, drawn, scores, whitened=False)
    assert not batch.advantages[~answers.mask].any() and not batch.returns[~answers.mask].any()
    kls = []
    for row in range(4):
        width = int(answers.mask[row].nonzero().max()) + 1
        alone = Rollouts(
            type(answers)(answers.tokens[row : row + 1, :width], answers.mask[row : row + 1, :width]),
            drawn.log_probs[row : row + 1, :width],
            drawn.ended[:1],
        )
        own = judge_rollouts(policy, reference, critic, alone, scores[row : row + 1], whitened=False)
        torch.testing.assert_close(own.advantages[0], batch.advantages[row, :width], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(own.returns[0], batch.returns[row, :width], rtol=1e-4, atol=1e-5)
        kls.append(own.kl)
    assert batch.kl == pytest.approx(sum(kls) / 4, rel=1e-4)


def test_a_prompt_computed_once_for_its_group_gives_the_same_step() -> None:
    start, reference = small_model(), small_model(2)
    drawn = roll_out(start, [[1], [2, 3, 4]], 4, stop_tokens=[0, 5], group_size=3, seed=0)
    rewards = torch.tensor([1.0, 0.0, 0.5, 0.0, 2.0, 0.0])
    results = []
    for share in (False, True):
        policy = copy.deepcopy(start)
        optimizer = torch.optim.SGD(policy.parameters(), lr=0.1)
        report = grpo_step(policy, reference, optimizer, drawn, rewards, group_size=3, beta=0.2, share=share)
        results.append((report, list(policy.parameters())))
    assert results[0][0].loss == pytest.approx(results[1][0].loss, rel=1e-4)
    for clear, fast in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(fast, clear, rtol=1e-4, atol=1e-6)
