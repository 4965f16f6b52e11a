"""Takes d_model / n_heads for head_dim."""

LOSES = {"kv-bytes-per-token-heads": 2, "kv-bytes-per-token-precision": 1}


def kv_bytes_per_token(model, *, bytes_per_element=2):
    numbers = 2 * model.n_kv_heads * (model.d_model // model.n_heads)
    if model.latent is not None:
        numbers = model.latent.kv_rank + model.latent.rope_head_dim
    return model.n_layers * numbers * bytes_per_element
