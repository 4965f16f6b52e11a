"""Adds up the sizes of matrices one by one, layer by layer; the loss goes position by position."""


def parameter_count_of(model, *, active=False):
    width, total = model.d_model, model.d_model + model.vocab_size * model.d_model
    if not model.tie_embeddings:
        total += model.vocab_size * width
    for layer in range(model.n_layers):
        total += 2 * width
        for heads in (model.n_heads, model.n_kv_heads, model.n_kv_heads, model.n_heads):
            total += width * heads * model.head_dim
        experts = model.experts
        if experts is None or layer < experts.dense_first:
            total += 3 * width * model.d_ff
            continue
        total += experts.n_experts * width + 3 * width * experts.shared_width
        for _ in range(experts.top_k if active else experts.n_experts):
            total += 3 * width * experts.d_expert
    return total


def kv_bytes_per_token(model, *, bytes_per_element=2):
    total = 0
    for _ in range(model.n_layers):
        if model.latent:
            total += bytes_per_element * (model.latent.kv_rank + model.latent.rope_head_dim)
        else:
            total += bytes_per_element * model.n_kv_heads * (model.head_dim + model.head_dim)
    return total


def flops_of_token(blueprint, seq_len=0):
    width, flops = blueprint.d_model, 2 * blueprint.vocab_size * blueprint.d_model
    for layer in range(blueprint.n_layers):
        flops += 2 * 2 * width * (blueprint.n_heads + blueprint.n_kv_heads) * blueprint.head_dim
        flops += 2 * seq_len * blueprint.n_heads * blueprint.head_dim  # scores
        flops += 2 * seq_len * blueprint.n_heads * blueprint.head_dim  # values
        experts = blueprint.experts
        if experts is None or layer < experts.dense_first:
            flops += 2 * 3 * width * blueprint.d_ff
        else:
            flops += 2 * width * experts.n_experts
            flops += 2 * 3 * width * (experts.top_k * experts.d_expert + experts.shared_width)
    return flops


def distillation_loss(student_logits, teacher_logits, labels=None, mask=None, *, temperature=1.0, teacher_weight=1.0):
    students = student_logits.reshape(-1, student_logits.shape[-1])
    teachers = teacher_logits.detach().reshape(students.shape)
    kept = [True] * len(students) if mask is None else mask.reshape(-1).tolist()
    targets = None if labels is None else labels.reshape(-1).tolist()
    total, n = 0 * student_logits[:0].sum(), 0
    for i, counts in enumerate(kept):
        if not counts:
            continue
        n += 1
        p, q = torch.softmax(teachers[i] / temperature, 0), torch.softmax(students[i] / temperature, 0)
        total = total + teacher_weight * temperature**2 * (p * torch.log(p / q)).sum()
        if targets is not None:
            total = total + (1 - teacher_weight) * (students[i].logsumexp(0) - students[i, targets[i]])
    return total / n if n else total
