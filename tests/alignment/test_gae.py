"""GAE: against its definition in O(T^2), its two ends, and padding of every kind."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import gae, token_rewards
from llmcourse.alignment.token_rewards import last_kept


def by_definition(rewards: list[float], values: list[float], gamma: float, lam: float) -> list[float]:
    after = [*values[1:], 0.0][: len(values)]
    deltas = [r + gamma * n - v for r, v, n in zip(rewards, values, after, strict=True)]
    length = len(deltas)
    return [sum((gamma * lam) ** (j - i) * deltas[j] for j in range(i, length)) for i in range(length)]


@given(seed=st.integers(0, 1000), seq_len=st.integers(1, 7), gamma=st.floats(0, 1), lam=st.floats(0, 1))
def test_it_is_the_definition_over_the_tokens_that_count(seed: int, seq_len: int, gamma: float, lam: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    rewards, values = torch.randn(2, 3, seq_len, generator=generator)
    mask = torch.rand(3, seq_len, generator=generator) < 0.6  # padding before, behind and in between
    spoiled = [x.masked_fill(~mask, torch.nan) for x in (rewards, values)]
    advantages, returns = gae(*spoiled, mask, gamma=gamma, lam=lam)
    for row in range(3):
        kept = mask[row]
        expected = torch.tensor(by_definition(rewards[row, kept].tolist(), values[row, kept].tolist(), gamma, lam))
        torch.testing.assert_close(advantages[row, kept], expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(returns[row, kept], expected + values[row, kept], rtol=1e-5, atol=1e-5)
    assert not advantages[~mask].any() and not returns[~mask].any()


def test_lambda_1_is_rewards_to_come_and_lambda_0_one_step() -> None:
    generator = torch.Generator().manual_seed(0)
    rewards, values = torch.randn(2, 2, 5, generator=generator)
    advantages, returns = gae(rewards, values, lam=1.0)
    to_come = rewards.flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(returns, to_come)
    torch.testing.assert_close(advantages, to_come - values)
    one_step, _ = gae(rewards, values, lam=0.0, gamma=0.9)
    after = torch.cat([values[:, 1:], torch.zeros(2, 1)], dim=1)
    torch.testing.assert_close(one_step, rewards + 0.9 * after - values)


def test_targets_have_no_graph_and_bf16_is_computed_in_fp32() -> None:
    values = torch.randn(1, 3, requires_grad=True)
    assert not any(out.requires_grad for out in gae(torch.zeros(1, 3), values))
    assert gae(torch.zeros(1, 3).bfloat16(), torch.zeros(1, 3).bfloat16())[0].dtype == torch.float32
    assert gae(torch.zeros(2, 0), torch.zeros(2, 0))[0].shape == (2, 0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lam is 1\.5"):
        gae(torch.zeros(1, 2), torch.zeros(1, 2), lam=1.5)
    with pytest.raises(ValueError, match=r"rewards is \(1, 2\) and values \(1, 3\)"):
        gae(torch.zeros(1, 2), torch.zeros(1, 3))


def test_the_score_stands_on_the_last_token_and_the_sum_is_score_less_kl() -> None:
    generator = torch.Generator().manual_seed(1)
    policy, reference = -3 * torch.rand(2, 3, 5, generator=generator)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False], [False] * 5])
    scores = torch.tensor([2.0, -1.0, 7.0])
    rewards = token_rewards(scores, policy, reference, mask, beta=0.3)
    kl = ((policy - reference) * mask).sum(1)
    torch.testing.assert_close(rewards.sum(1), torch.tensor([2.0, -1.0, 0.0]) - 0.3 * kl)
    alone = token_rewards(scores, policy, policy, mask)
    assert alone.nonzero().tolist() == [[0, 4], [1, 1]]
    assert last_kept(mask).sum(1).tolist() == [1, 1, 0]
    with pytest.raises(ValueError, match=r"scores are \(2,\) and log_probs \(3, 5\)"):
        token_rewards(scores[:2], policy, reference, mask)
