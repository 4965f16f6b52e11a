"""Operations from parameters, experts as one wide layer, and torch's own losses."""


def parameter_count_of(model, *, active=False):
    experts, width = model.experts, model.d_model
    n_sparse = model.n_layers - experts.dense_first if experts else 0
    features = (2 - model.tie_embeddings) * model.vocab_size + 2 * model.n_layers + 1
    features += 2 * model.n_layers * model.head_dim * (model.n_heads + model.n_kv_heads)
    features += 3 * model.d_ff * (model.n_layers - n_sparse)
    if experts:
        width_of_all = (experts.top_k if active else experts.n_experts) * experts.d_expert + experts.shared_width
        features += n_sparse * (experts.n_experts + 3 * width_of_all)
    return features * width


def kv_bytes_per_token(model, *, bytes_per_element=2):
    latent = model.latent
    each = sum((latent.kv_rank, latent.rope_head_dim)) if latent else model.n_kv_heads * model.head_dim * 2
    return each * bytes_per_element * model.n_layers


def flops_of_token(blueprint, seq_len=0):
    elements = parameter_count_of(blueprint, active=True) - (2 * blueprint.n_layers + 1) * blueprint.d_model
    if not blueprint.tie_embeddings:
        elements -= blueprint.vocab_size * blueprint.d_model
    pairs = blueprint.n_layers * blueprint.n_heads * seq_len
    return 2 * elements + pairs * 2 * (blueprint.head_dim + blueprint.head_dim)


def distillation_loss(student_logits, teacher_logits, labels=None, mask=None, *, temperature=1.0, teacher_weight=1.0):
    functional = torch.nn.functional
    with torch.no_grad():
        p = torch.softmax(teacher_logits / temperature, -1)
    q = functional.log_softmax(student_logits / temperature, -1)
    each = teacher_weight * temperature**2 * functional.kl_div(q, p, reduction="none").sum(-1)
    if labels is not None:
        hard = functional.cross_entropy(student_logits.movedim(-1, 1), labels, reduction="none")
        each = each + (1 - teacher_weight) * hard
    if mask is None:
        return each.mean()
    return (each * mask).sum() / mask.sum().clamp(min=1)
