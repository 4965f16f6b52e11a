"""What a token costs: bytes of keys and values that stay, and operations."""

import math

from llmcourse.lineage.blueprint import Blueprint
from llmcourse.lineage.parameter_parts import parameter_parts

__all__ = ["flops_of_token", "kv_bytes", "kv_numbers_per_layer"]


def kv_numbers_per_layer(blueprint: Blueprint) -> int:
    r"""Return how many numbers one layer keeps of one token.

    Args:
        blueprint: Sizes and choices.

    Returns:
        A key and a value for each key-value head (Ainslie et al. 2023, arXiv:2305.13245); with latent attention one
        latent and one rotated key, whatever the number of heads (DeepSeek-V2, arXiv:2405.04434).
    """
    if blueprint.latent is not None:
        return blueprint.latent.kv_rank + blueprint.latent.rope_head_dim
    return 2 * blueprint.n_kv_heads * blueprint.head_dim


def kv_bytes(blueprint: Blueprint, seq_len: int, *, bytes_per_element: float = 2) -> int:
    r"""Return the bytes that a cache holds after so many tokens; a layer with a window keeps no more than its window.

    Args:
        blueprint: Sizes and choices.
        seq_len: Tokens.
        bytes_per_element: 2 for fp16 and bf16.

    Returns:
        Bytes.

    Raises:
        ValueError: A number is below 0.

    Example:
        >>> sizes = {"d_model": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "head_dim": 16, "d_ff": 160}
        >>> local = Blueprint(vocab_size=100, **sizes, window=8, full_every=2)
        >>> kv_bytes(local, 100)  # 8 tokens in one layer, 100 in the other, 128 bytes each
        13824
    """
    if seq_len < 0 or bytes_per_element < 0:
        raise ValueError(f"seq_len is {seq_len} and bytes_per_element is {bytes_per_element}: give 0 or more")
    held = sum(min(seq_len, blueprint.window_of(layer) or seq_len) for layer in range(blueprint.n_layers))
    return math.ceil(held * kv_numbers_per_layer(blueprint) * bytes_per_element)


def flops_of_token(blueprint: Blueprint, seq_len: int = 0) -> int:
    r"""Return the operations of one token's forward pass when so many tokens are seen; training costs three times that.

    Two for each weight that multiplies (Kaplan et al. 2020, arXiv:2001.08361), and two for each feature of a key and of
    a value that a head looks at. Latent attention is counted as in training, with keys and values projected up.

    Args:
        blueprint: Sizes and choices.
        seq_len: Tokens that the token sees, itself among them; 0 counts the weights alone.

    Returns:
        FLOP: a multiplication and an addition are two.

    Raises:
        ValueError: ``seq_len`` is below 0.

    Example:
        >>> sizes = {"d_model": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "head_dim": 16, "d_ff": 160}
        >>> blueprint = Blueprint(vocab_size=100, **sizes)
        >>> flops_of_token(blueprint), flops_of_token(blueprint, 10) - flops_of_token(blueprint)
        (184832, 5120)
    """
    if seq_len < 0:
        raise ValueError(f"seq_len is {seq_len}: give 0 or more")
    seen = sum(min(seq_len, blueprint.window_of(layer) or seq_len) for layer in range(blueprint.n_layers))
    latent, head_dims = blueprint.latent, 2 * blueprint.head_dim
    if latent is not None:
        head_dims = latent.nope_head_dim + latent.rope_head_dim + latent.value_head_dim
    return 2 * parameter_parts(blueprint).multiplied + 2 * blueprint.n_heads * head_dims * seen
