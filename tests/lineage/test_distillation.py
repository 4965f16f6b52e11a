"""The distillation loss against closed forms, and the limits that its paper names."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.lineage import distillation_loss
from llmcourse.pretraining import cross_entropy


def logits(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(student=st.floats(-5, 5), teacher=st.floats(-5, 5), temperature=st.floats(0.5, 8))
def test_two_tokens_in_closed_form(student: float, teacher: float, temperature: float) -> None:
    """With two tokens p is a sigmoid: T^2 (p log(p / q) + (1 - p) log((1 - p) / (1 - q)))."""
    p, q = (1 / (1 + math.exp(-x / temperature)) for x in (teacher, student))
    expected = temperature**2 * (p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)))
    got = distillation_loss(torch.tensor([[student, 0.0]]), torch.tensor([[teacher, 0.0]]), temperature=temperature)
    assert got.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@given(seed=st.integers(0, 99), weight=st.floats(0, 1), temperature=st.sampled_from([0.5, 1.0, 4.0]))
def test_it_is_a_mixture_of_its_two_ends(seed: int, weight: float, temperature: float) -> None:
    student, teacher = logits(seed, 3, 5, 7), logits(seed + 100, 3, 5, 7)
    labels = torch.arange(15).reshape(3, 5) % 7
    mixed = distillation_loss(student, teacher, labels, temperature=temperature, teacher_weight=weight)
    soft = distillation_loss(student, teacher, temperature=temperature)
    hard = cross_entropy(student, labels)
    torch.testing.assert_close(mixed, (weight * soft + (1 - weight) * hard).float(), rtol=1e-5, atol=1e-6)


@given(seed=st.integers(0, 99), temperature=st.sampled_from([1.0, 3.0]))
def test_the_gradient_is_t_times_the_difference_of_probabilities(seed: int, temperature: float) -> None:
    student, teacher = logits(seed, 4, 6).float().requires_grad_(), logits(seed + 100, 4, 6).float().requires_grad_()
    distillation_loss(student, teacher, temperature=temperature).backward()
    q, p = (x.detach().div(temperature).softmax(-1) for x in (student, teacher))
    torch.testing.assert_close(student.grad, temperature * (q - p) / 4, rtol=1e-4, atol=1e-6)
    assert teacher.grad is None


def test_at_a_high_temperature_it_matches_logits() -> None:
    """Hinton et al.: with logits of mean 0 the gradient becomes (student - teacher) / V."""
    student, teacher = logits(0, 1, 8), logits(1, 1, 8)
    student, teacher = student - student.mean(), teacher - teacher.mean()
    student = student.float().requires_grad_()
    distillation_loss(student, teacher.float(), temperature=1000.0).backward()
    torch.testing.assert_close(student.grad, (student.detach() - teacher.float()) / 8, rtol=1e-2, atol=1e-4)


def test_a_student_like_its_teacher_has_nothing_to_learn() -> None:
    teacher = logits(3, 2, 5, 7).float()
    student = (teacher + 4.0).requires_grad_()  # the same distribution
    loss = distillation_loss(student, teacher, temperature=2.0)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(student.grad, torch.zeros_like(student), rtol=0, atol=1e-6)


def test_positions_that_are_masked_do_not_count() -> None:
    student, teacher = logits(4, 2, 5, 7), logits(5, 2, 5, 7)
    labels = torch.arange(10).reshape(2, 5) % 7
    mask = torch.zeros(2, 5, dtype=torch.bool)
    mask[0, 1:3] = True
    for weight in (0.0, 0.4, 1.0):
        whole = distillation_loss(student, teacher, labels, mask, temperature=2.0, teacher_weight=weight)
        part = distillation_loss(
            student[0, 1:3], teacher[0, 1:3], labels[0, 1:3], temperature=2.0, teacher_weight=weight
        )
        torch.testing.assert_close(whole, part)


def test_where_nothing_counts_the_loss_is_zero_with_zero_gradients() -> None:
    student = torch.full((1, 2, 3), float("nan"), requires_grad=True)  # what is masked may be anything
    nothing = torch.zeros(1, 2, dtype=torch.bool)
    loss = distillation_loss(student, logits(7, 1, 2, 3), torch.zeros(1, 2).long(), nothing, teacher_weight=0.5)
    loss.backward()
    assert loss.item() == 0 and student.grad is not None and not student.grad.any()


def test_bf16_logits_are_worked_on_in_fp32() -> None:
    """8 bits of mantissa in the logits: relative errors of the loss of up to about 1e-2, none beyond."""
    student, teacher = logits(8, 4, 30).float(), logits(9, 4, 30).float()
    rounded = distillation_loss(student.bfloat16(), teacher.bfloat16(), temperature=2.0)
    assert rounded.dtype == torch.float32
    exact = distillation_loss(student.bfloat16().float(), teacher.bfloat16().float(), temperature=2.0)
    torch.testing.assert_close(rounded, exact, rtol=1e-6, atol=0)
    torch.testing.assert_close(rounded, distillation_loss(student, teacher, temperature=2.0), rtol=2e-2, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher_logits": torch.zeros(2, 4)}, r"\(2, 3\) and teacher_logits \(2, 4\)"),
        ({"labels": torch.zeros(3).long(), "teacher_weight": 0.5}, r"labels have shape \(3,\): give \(2,\)"),
        ({"mask": torch.ones(3).bool()}, r"mask have shape \(3,\)"),
        ({"temperature": 0.0}, r"temperature is 0.0"),
        ({"teacher_weight": 1.5}, r"teacher_weight is 1.5"),
        ({"teacher_weight": 0.5}, r"labels are missing"),
    ],
)
def test_what_is_refused(change: dict[str, object], message: str) -> None:
    given = {"student_logits": torch.zeros(2, 3), "teacher_logits": torch.zeros(2, 3)} | change
    with pytest.raises(ValueError, match=message):
        distillation_loss(**given)  # pyright: ignore[reportArgumentType]
