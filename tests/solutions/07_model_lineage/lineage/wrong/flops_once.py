"""One operation for each element."""

LOSES = {"flops-of-token-weights": 3}


def flops_of_token(blueprint, seq_len=0):
    width, layers, experts = blueprint.d_model, blueprint.n_layers, blueprint.experts
    matrices = layers * 2 * width * blueprint.head_dim * (blueprint.n_heads + blueprint.n_kv_heads)
    head = blueprint.vocab_size * width
    n_sparse = 0 if experts is None else layers - experts.dense_first
    matrices += head + (layers - n_sparse) * 3 * width * blueprint.d_ff
    if experts is not None:
        used = experts.top_k
        matrices += n_sparse * width * experts.n_experts
        matrices += n_sparse * 3 * width * (used * experts.d_expert + experts.shared_width)
    seen = 4 * layers * blueprint.n_heads * blueprint.head_dim * seq_len
    return matrices + seen
