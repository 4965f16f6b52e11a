import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import (
    expert_counts,
    load_balancing_loss,
    route_top_k,
    router_z_loss,
    update_selection_bias,
)


def dense(weights, experts, n_experts):
    """Weights in the columns of their experts, so that the order of the choices does not count."""
    return torch.zeros(len(weights), n_experts).scatter(1, experts, weights)


def test_as_mixtral_and_qwen2_moe():
    transformers = pytest.importorskip("transformers")
    from transformers.models.mixtral.modeling_mixtral import MixtralTopKRouter
    from transformers.models.qwen2_moe.modeling_qwen2_moe import Qwen2MoeTopKRouter

    x = torch.randn(50, 16)
    mixtral = MixtralTopKRouter(transformers.MixtralConfig(hidden_size=16, num_local_experts=8, num_experts_per_tok=3))
    options = {"hidden_size": 16, "num_experts": 8, "num_experts_per_tok": 3}
    for router, renormalize in [
        (mixtral, True),
        (Qwen2MoeTopKRouter(transformers.Qwen2MoeConfig(**options, norm_topk_prob=False)), False),
        (Qwen2MoeTopKRouter(transformers.Qwen2MoeConfig(**options, norm_topk_prob=True)), True),
    ]:
        torch.nn.init.normal_(router.weight)
        logits, expected, experts = router(x)
        found, ours = route_top_k(logits, 3, renormalize=renormalize)
        assert torch.equal(ours, experts)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("groups", "top_groups", "renormalize"), [(1, 1, True), (4, 2, True), (4, 3, False)])
def test_as_deepseek_v3(groups, top_groups, renormalize):
    transformers = pytest.importorskip("transformers")
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3TopkRouter

    config = transformers.DeepseekV3Config(
        hidden_size=16, n_routed_experts=16, num_experts_per_tok=4, n_group=groups, topk_group=top_groups,
        norm_topk_prob=renormalize, routed_scaling_factor=2.5,
    )  # fmt: skip
    router = DeepseekV3TopkRouter(config)
    torch.nn.init.normal_(router.weight)
    torch.nn.init.normal_(router.e_score_correction_bias, std=0.3)
    logits, weights, experts = router(torch.randn(60, 16))
    found = route_top_k(
        logits, 4, renormalize=renormalize, score="sigmoid", selection_bias=router.e_score_correction_bias,
        n_groups=groups, top_k_groups=top_groups, scale=2.5,
    )  # fmt: skip
    torch.testing.assert_close(dense(*found, 16), dense(weights, experts, 16), rtol=1e-5, atol=1e-7)


def test_softmax_groups_are_worth_their_best_expert():
    # Group 1 holds the best expert, group 0 the better two together.
    probabilities = torch.tensor([[0.3, 0.3, 0.38, 0.02]])
    weights, experts = route_top_k(probabilities.log(), 2, n_groups=2, top_k_groups=1, renormalize=False)
    assert experts.tolist() == [[2, 3]]
    torch.testing.assert_close(weights, torch.tensor([[0.38, 0.02]]), rtol=1e-5, atol=1e-7)


@given(st.integers(0, 10_000), st.integers(2, 9), st.data())
def test_renormalised_softmax_equals_softmax_of_the_chosen(seed, n_experts, data):
    top_k = data.draw(st.integers(1, n_experts))
    logits = 3 * torch.randn(7, n_experts, generator=torch.Generator().manual_seed(seed))
    weights, experts = route_top_k(logits, top_k)
    torch.testing.assert_close(weights, logits.topk(top_k).values.softmax(-1), rtol=1e-5, atol=1e-7)
    raw, same = route_top_k(logits, top_k, renormalize=False)
    assert torch.equal(same, experts) and (raw.sum(-1) <= 1 + 1e-6).all()


def test_bias_changes_the_choice_and_not_the_weight():
    logits = torch.tensor([[2.0, 1.0, 0.0]])
    bias = torch.tensor([-5.0, 0.0, 0.0])
    weights, experts = route_top_k(logits, 2, selection_bias=bias, renormalize=False)
    assert experts.tolist() == [[1, 2]]
    torch.testing.assert_close(weights, logits.softmax(-1)[:, 1:])


def test_bf16_is_worked_out_in_fp32():
    logits = torch.randn(40, 8).bfloat16()
    weights, experts = route_top_k(logits, 2)
    exact, same = route_top_k(logits.float(), 2)
    assert weights.dtype == torch.bfloat16 and torch.equal(experts, same)
    assert torch.equal(weights, exact.bfloat16())


def test_balance_loss_as_transformers_but_for_k():
    mixtral = pytest.importorskip("transformers.models.mixtral.modeling_mixtral")
    logits = torch.randn(64, 8)
    for top_k in (1, 2, 3):
        experts = route_top_k(logits, top_k)[1]
        expected = mixtral.load_balancing_loss_func((logits,), 8, top_k) / top_k
        torch.testing.assert_close(load_balancing_loss(logits, experts), expected, rtol=1e-5, atol=0)
    mask = torch.rand(64) > 0.3
    expected = mixtral.load_balancing_loss_func((logits,), 8, 3, attention_mask=mask[None]) / 3
    torch.testing.assert_close(load_balancing_loss(logits, experts, mask), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("score", ["softmax", "sigmoid"])
def test_balance_loss_is_1_when_even_and_its_gradient_relieves_the_busiest(score):
    even = torch.arange(4).repeat(3)[:, None]
    assert load_balancing_loss(torch.zeros(12, 4), even, score=score).item() == pytest.approx(1)
    logits = torch.zeros(12, 4, requires_grad=True)
    load_balancing_loss(logits, torch.tensor([0] * 6 + [1] * 3 + [2] * 3)[:, None], score=score).backward()
    slope = logits.grad.sum(0)
    assert slope[0] > 0 and slope.argmin() == 3 and slope.sum().abs() < 1e-6


def test_nothing_counts():
    logits = torch.randn(3, 4, requires_grad=True)
    nothing = torch.zeros(3, dtype=torch.bool)
    total = load_balancing_loss(logits, torch.zeros(3, 1, dtype=torch.long), nothing) + router_z_loss(logits, nothing)
    total.backward()
    assert total == 0 and logits.grad.eq(0).all()


def test_z_loss_by_hand():
    logits = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    by_hand = [math.log(math.exp(a) + math.exp(b)) ** 2 for a, b in logits.tolist()]
    assert router_z_loss(logits).item() == pytest.approx(sum(by_hand) / 2, rel=1e-6)
    assert router_z_loss(logits, torch.tensor([False, True])).item() == pytest.approx(by_hand[1], rel=1e-6)


def test_bias_evens_out_a_skewed_router():
    logits = torch.randn(500, 8) + torch.linspace(0, 2, 8)
    bias = torch.zeros(8)
    first = expert_counts(route_top_k(logits, 2, score="sigmoid")[1], 8)
    for _ in range(300):
        experts = route_top_k(logits, 2, score="sigmoid", selection_bias=bias)[1]
        bias = update_selection_bias(bias, expert_counts(experts, 8), rate=0.005)
    counts = expert_counts(experts, 8)
    assert first.max() > 2 * 125 and counts.max() < 1.15 * 125 and counts.min() > 0.85 * 125


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((2, 4), {"top_k": 5}, r"top_k is 5: choose from 1 to 4"),
        ((2, 4), {"top_k": 0}, r"top_k is 0"),
        ((2, 4), {"top_k": 3, "n_groups": 2}, r"top_k is 3: choose from 1 to 2"),
        ((2, 4), {"top_k": 1, "n_groups": 3}, r"n_experts is 4, n_groups 3"),
        ((2, 4), {"top_k": 1, "score": "tanh"}, r"score is 'tanh'"),
        ((2, 3, 4), {"top_k": 1}, r"\(2, 3, 4\): flatten"),
        ((2, 4), {"top_k": 1, "selection_bias": torch.zeros(3)}, r"shape \(3,\): 4 experts"),
    ],
)
def test_refusals(shape, options, message):
    with pytest.raises(ValueError, match=message):
        route_top_k(torch.zeros(shape), **options)
