"""Adds the labels" loss without a weight."""

LOSES = {"distillation-loss-labels": 2}


def distillation_loss(student_logits, teacher_logits, labels=None, mask=None, *, temperature=1.0, teacher_weight=1.0):
    if mask is None:
        mask = torch.ones(student_logits.shape[:-1], dtype=torch.bool)
    student, teacher = student_logits[mask], teacher_logits.detach()[mask]
    n = max(len(student), 1)
    log_p = (teacher / temperature).log_softmax(-1)
    log_q = (student / temperature).log_softmax(-1)
    soft = (log_p.exp() * (log_p - log_q)).sum() / n
    loss = teacher_weight * temperature**2 * soft
    if labels is not None:
        hard = torch.nn.functional.cross_entropy(student, labels[mask], reduction="sum") / n
        loss = loss + hard
    return loss
