"""Knowledge distillation: a small model learns the whole distribution that a larger one gives, not one token of it."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from llmcourse.pretraining import cross_entropy

__all__ = ["distillation_loss"]


def distillation_loss(
    student_logits: Float[Tensor, "*batch V"],
    teacher_logits: Float[Tensor, "*batch V"],
    labels: Int[Tensor, "*batch"] | None = None,
    mask: Bool[Tensor, "*batch"] | None = None,
    *,
    temperature: float = 1.0,
    teacher_weight: float = 1.0,
) -> Float[Tensor, ""]:
    r"""Return how far a student's distribution is from its teacher's, mixed with the loss of the labels.

    Hinton et al. 2015 (arXiv:1503.02531): with p = softmax(teacher / T) and q = softmax(student / T) it is
    w T^2 KL(p || q) + (1 - w) CE(labels). Their T is ``temperature``. A high one shows what the teacher thinks of
    unlikely tokens. Gradients of the first term shrink as 1 / T^2, which is why T^2 stands before it: the two terms
    keep their balance when T is changed. The paper has the cross-entropy of p and q, whose gradient is the same; the
    divergence is 0 where student and teacher agree.

    Args:
        student_logits: Of the model that learns.
        teacher_logits: Of the model that it learns from; no gradient flows there.
        labels: The tokens of the text; needed unless ``teacher_weight`` is 1.
        mask: True where a position counts; all do unless it is given.
        temperature: T; both distributions are softened by it, the labels' is not.
        teacher_weight: w, from 0 (labels alone) to 1 (the teacher alone).

    Returns:
        Nats a position, averaged over those that count; 0 with zero gradients where none does.

    Raises:
        ValueError: Shapes do not fit, a number is out of range, or labels are missing.

    Example:
        >>> student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
        >>> distillation_loss(student, teacher), distillation_loss(teacher, teacher)
        (tensor(0.3278), tensor(0.))
        >>> distillation_loss(student, teacher, torch.tensor([0]), teacher_weight=0.0)  # ln 2
        tensor(0.6931)
    """
    _check(student_logits, teacher_logits, labels, mask, temperature, teacher_weight)
    loss = student_logits.new_zeros((), dtype=torch.float32)
    if teacher_weight > 0:
        loss = loss + teacher_weight * temperature**2 * _divergence(student_logits, teacher_logits, mask, temperature)
    if teacher_weight < 1:
        assert labels is not None
        loss = loss + (1 - teacher_weight) * cross_entropy(student_logits, labels, mask)
    return loss


def _divergence(student: Tensor, teacher: Tensor, mask: Tensor | None, temperature: float) -> Float[Tensor, ""]:
    """Return KL(p || q), averaged; what is masked is never looked at, so that it may be NaN."""
    if mask is not None:
        student, teacher = student[mask], teacher[mask]
    log_q = (student.float() / temperature).log_softmax(-1)
    log_p = (teacher.detach().float() / temperature).log_softmax(-1)
    total = functional.kl_div(log_q, log_p, log_target=True, reduction="sum")
    return total / max(log_q.numel() // log_q.shape[-1], 1)


def _check(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor | None,
    mask: Tensor | None,
    temperature: float,
    teacher_weight: float,
) -> None:
    if student.shape != teacher.shape:
        raise ValueError(
            f"student_logits have shape {tuple(student.shape)} and teacher_logits {tuple(teacher.shape)}: "
            "both are of the same tokens over the same vocabulary"
        )
    for name, given in {"labels": labels, "mask": mask}.items():
        if given is not None and given.shape != student.shape[:-1]:
            raise ValueError(f"{name} have shape {tuple(given.shape)}: give {tuple(student.shape[:-1])}, as the logits")
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}: give more than 0")
    if not 0 <= teacher_weight <= 1:
        raise ValueError(f"teacher_weight is {teacher_weight}: give 0 to 1")
    if teacher_weight < 1 and labels is None:
        raise ValueError(f"teacher_weight is {teacher_weight} and labels are missing: give labels for the rest")
