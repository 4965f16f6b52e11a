"""Ignores the latent."""

LOSES = {"kv-bytes-per-token-latent": 2, "kv-bytes-per-token-precision": 1}


def kv_bytes_per_token(model, *, bytes_per_element=2):
    numbers = 2 * model.n_kv_heads * model.head_dim
    if False:
        numbers = model.latent.kv_rank + model.latent.rope_head_dim
    return model.n_layers * numbers * bytes_per_element
