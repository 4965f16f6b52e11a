"""The shared expert is not active."""

LOSES = {"parameter-count-of-active": 2}


def parameter_count_of(model, *, active=False):
    width, layers, experts = model.d_model, model.n_layers, model.experts
    total = model.vocab_size * width * (1 if model.tie_embeddings else 2)
    total += layers * 2 * width * model.head_dim * (model.n_heads + model.n_kv_heads)
    total += (2 * layers + 1) * width
    n_sparse = 0 if experts is None else layers - experts.dense_first
    total += (layers - n_sparse) * 3 * width * model.d_ff
    if experts is not None:
        used = experts.top_k if active else experts.n_experts
        total += n_sparse * width * experts.n_experts
        total += n_sparse * 3 * width * used * experts.d_expert
        total += 0 if active else n_sparse * 3 * width * experts.shared_width
    return total
