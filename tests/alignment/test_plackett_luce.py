"""Rankings: every one of them enumerated, and the pair as the special case."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import bradley_terry_loss, plackett_luce_loss


@given(seed=st.integers(0, 1000), k=st.integers(1, 5), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_probabilities_of_all_rankings_add_up_to_one(seed: int, k: int, scale: float) -> None:
    scores = scale * torch.randn(k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    orders = torch.tensor(list(itertools.permutations(range(k))))
    losses = plackett_luce_loss(scores[orders])
    assert float((-losses).exp().sum()) == pytest.approx(1)
    for order, loss in zip(orders, losses, strict=True):
        left, log_p = scores[order].exp(), 0.0
        for i in range(k):
            log_p += float((left[i] / left[i:].sum()).log())
        assert float(loss) == pytest.approx(-log_p, rel=1e-6, abs=1e-9)


def test_two_answers_are_bradley_and_terry() -> None:
    scores = 300 * torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(plackett_luce_loss(scores), bradley_terry_loss(*scores.T), rtol=1e-5, atol=1e-5)


def test_padding_is_no_answer() -> None:
    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[True] * 4, [True, False, True, False], [False] * 4])
    leaf = scores.masked_fill(~mask, torch.nan).requires_grad_()
    found = plackett_luce_loss(leaf, mask)
    expected = [plackett_luce_loss(scores[:1]), plackett_luce_loss(scores[1:2, ::2]), torch.zeros(1)]
    torch.testing.assert_close(found, torch.cat(expected))
    (gradient,) = torch.autograd.grad(found.sum(), leaf)
    assert bool(gradient.isfinite().all()) and not gradient[~mask].any()


def test_the_first_choices_alone_sum_over_the_orders_of_the_rest() -> None:
    scores = torch.randn(5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    rest = [(0, 1, *order) for order in itertools.permutations((2, 3, 4))]
    whole = (-plackett_luce_loss(scores[torch.tensor(rest)])).exp().sum()
    assert float((-plackett_luce_loss(scores[None], top=2)).exp()) == pytest.approx(float(whole))


def test_gradients_far_scores_and_what_is_refused() -> None:
    scores = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True)
    assert torch.autograd.gradcheck(plackett_luce_loss, scores)
    far = torch.tensor([[-1e3, 0.0, 1e3]], requires_grad=True)
    loss = plackett_luce_loss(far)
    assert loss.tolist() == [3000.0]  # 2000 for the first choice, 1000 for the second
    assert bool(torch.autograd.grad(loss.sum(), far)[0].isfinite().all())
    assert plackett_luce_loss(torch.zeros(1, 3).bfloat16()).dtype == torch.float32
    with pytest.raises(ValueError, match=r"scores are \(3,\) and top is None"):
        plackett_luce_loss(torch.zeros(3))
    with pytest.raises(ValueError, match="top is 0"):
        plackett_luce_loss(torch.zeros(1, 3), top=0)
