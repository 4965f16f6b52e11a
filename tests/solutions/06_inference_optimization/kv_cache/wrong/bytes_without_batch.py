"""Counts one sequence."""

LOSES = {"kv-cache-bytes-options": 1}


def kv_cache_bytes(*, n_layers, n_kv_heads, head_dim, seq_len, batch_size=1, bytes_per_element=2):
    return int(2 * n_layers * n_kv_heads * head_dim * seq_len * bytes_per_element)
