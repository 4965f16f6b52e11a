"""What is particular to the exercise: its functions are the reference's, and losses that follow from each other."""

import math
import types

import pytest
import torch
import torch.nn.functional as F

from llmcourse import alignment

EXERCISE = "05_rlhf/dpo.ipynb"
REFERENCE = {
    name: getattr(alignment, name)
    for name in ("sequence_log_probs", "dpo_loss", "reward_accuracy", "orpo_loss", "simpo_loss")
}
# Label smoothing and IPO are the reference's alone: the exercise asks for the loss as the paper has it.
LEFT_OUT = {"dpo_loss": {"label_smoothing", "variant"}}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT.get(name, set()))


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, solution, seed: int) -> None:
    """The step of the exercise is on a table of logits; its own stands in, on the reference's functions."""
    step = solution["dpo_step"]
    own = types.FunctionType(step.__code__, {**solution, **REFERENCE}, step.__name__, step.__defaults__)
    own.__kwdefaults__ = step.__kwdefaults__
    run_with(lambda _: {**REFERENCE, "dpo_step": own}, seed)


def test_log_probabilities_are_those_of_torch(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 6, 7, generator=generator)
    labels = torch.randint(7, (3, 6), generator=generator)
    labels[:, :2] = -100
    losses = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    found = solution["sequence_log_probs"](logits, labels, labels >= 0)
    torch.testing.assert_close(found, -losses.sum(1), rtol=1e-5, atol=1e-6)


def test_losses_follow_from_each_other(solution) -> None:
    """SimPO is DPO whose reference prefers the chosen answer by gamma / beta; ORPO's odds at 1/2 are even."""
    generator = torch.Generator().manual_seed(1)
    chosen, rejected = -3 * torch.rand(2, 5, generator=generator)
    zero = torch.zeros(5)
    found = solution["simpo_loss"](chosen, rejected, beta=1.5, gamma=0.6)
    expected = solution["dpo_loss"](chosen, rejected, zero + 0.4, zero, beta=1.5)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    even = torch.full((5,), 0.5).log()
    difference = solution["orpo_loss"](even, even, weight=0.3) + even
    torch.testing.assert_close(difference, torch.full((5,), 0.3 * math.log(2)))


def test_steps_reach_a_margin_of_the_right_sign(solution) -> None:
    """Many steps: the loss falls below ln 2, the reward of the chosen answers is the greater, nothing else moves."""
    generator = torch.Generator().manual_seed(2)
    policy = torch.randn(4, 4, generator=generator)
    reference = policy.clone()
    chosen, rejected = torch.tensor([[0, 1, 2]]), torch.tensor([[0, 1, 3]])
    mask = torch.tensor([[False, False, True]])
    losses = [float(solution["dpo_step"](policy, reference, chosen, rejected, mask, mask, beta=0.5)) for _ in range(20)]
    assert losses[0] == pytest.approx(math.log(2), rel=1e-5)
    assert losses == sorted(losses, reverse=True)
    assert torch.equal(policy[[0, 2, 3]], reference[[0, 2, 3]])
    rows = [policy.log_softmax(-1)[1, token] for token in (2, 3)] + [reference.log_softmax(-1)[1, t] for t in (2, 3)]
    assert solution["reward_accuracy"](*(row[None] for row in rows)) == 1.0
