"""How many parameters a model has, part by part, from its configuration alone."""

from dataclasses import KW_ONLY, dataclass

from llmcourse.architecture import ModelConfig

__all__ = ["ParameterCount", "attention_matrices", "feed_forward_matrices", "parameter_count"]

_MATRICES = {"swiglu": 3, "gelu": 2}  # of d_model x d_ff


@dataclass(frozen=True)
class ParameterCount:
    r"""Parameters by part; each stands under the matrix that it is stored in, once.

    Attributes:
        embedding: The token embedding.
        position_embedding: Learned positions; 0 with RoPE.
        attention: The projections of all layers with their biases.
        feed_forward: The feed-forward matrices of all layers.
        norms: All gains and biases of norms, QK-norm's among them.
        head: The output projection; 0 where it is the embedding's matrix.
    """

    _: KW_ONLY
    embedding: int
    position_embedding: int
    attention: int
    feed_forward: int
    norms: int
    head: int

    @property
    def total(self) -> int:
        """All parameters: N of Hoffmann et al."""
        return self.non_embedding + self.embedding + self.position_embedding + self.head

    @property
    def non_embedding(self) -> int:
        """Without the matrices that have a row for each token or position: N of Kaplan et al."""
        return self.attention + self.feed_forward + self.norms


def parameter_count(config: ModelConfig) -> ParameterCount:
    r"""Count the parameters of :class:`llmcourse.architecture.Transformer`, exactly.

    Kaplan et al. 2020 (arXiv:2001.08361) count without embeddings, Hoffmann et al. 2022 (arXiv:2203.15556) with them;
    below 100M parameters that is much of the model, and much of the difference between their laws (see
    :func:`llmcourse.scaling.apparent_exponent`).

    Args:
        config: Sizes and choices.

    Returns:
        The count by part.

    Raises:
        ValueError: The feed-forward layer is not one that this function knows.

    Example:
        >>> llama_3_8b = ModelConfig(
        ...     vocab_size=128_256, d_model=4096, n_layers=32, n_heads=32, n_kv_heads=8, d_ff=14_336
        ... )
        >>> count = parameter_count(llama_3_8b)
        >>> f"{count.total:,} in all, {count.non_embedding:,} without embeddings"
        '8,030,261,248 in all, 6,979,588,096 without embeddings'
    """
    table = config.vocab_size * config.d_model
    learned = config.position_embedding == "learned"
    layers = config.n_layers
    return ParameterCount(
        embedding=table,
        position_embedding=config.max_seq_len * config.d_model if learned else 0,
        attention=layers * (sum(attention_matrices(config)) + _attention_biases(config)),
        feed_forward=layers * sum(feed_forward_matrices(config)),
        norms=_norms(config),
        head=0 if config.tie_embeddings else table,
    )


def attention_matrices(config: ModelConfig) -> list[int]:
    r"""Return the elements of each matrix of one attention layer.

    Args:
        config: Sizes and choices.

    Returns:
        For queries, keys, values and the way out; with latent attention for each step down and up.

    Example:
        >>> attention_matrices(ModelConfig(vocab_size=8, d_model=64, n_layers=1, n_heads=4, n_kv_heads=2))
        [4096, 2048, 2048, 4096]
    """
    width, heads, latent = config.d_model, config.n_heads, config.latent
    if latent is None:
        q, kv = heads * config.head_dim, config.n_kv_heads * config.head_dim
        return [width * q, width * kv, width * kv, q * width]
    q = heads * config.head_dim
    queries = [width * q] if latent.q_rank is None else [width * latent.q_rank, latent.q_rank * q]
    down = width * (latent.kv_rank + latent.rope_head_dim)
    up = latent.kv_rank * heads * (latent.nope_head_dim + latent.value_head_dim)
    return [*queries, down, up, heads * latent.value_head_dim * width]


def feed_forward_matrices(config: ModelConfig) -> list[int]:
    r"""Return the elements of each matrix of one feed-forward layer.

    Args:
        config: Sizes and choices.

    Returns:
        Three equal numbers for "swiglu", two for "gelu".

    Raises:
        ValueError: The layer is another.

    Example:
        >>> feed_forward_matrices(ModelConfig(vocab_size=8, d_model=48, n_layers=1, n_heads=4))
        [6144, 6144, 6144]
    """
    if config.feed_forward not in _MATRICES:
        raise ValueError(
            f"feed_forward is {config.feed_forward!r}: parameters are counted for {' and '.join(sorted(_MATRICES))}"
        )
    return [config.d_model * config.d_ff] * _MATRICES[config.feed_forward]


def _attention_biases(config: ModelConfig) -> int:
    kv = 2 * config.n_kv_heads * config.head_dim
    return config.qkv_bias * (config.n_heads * config.head_dim + kv) + config.output_bias * config.d_model


def _norms(config: ModelConfig) -> int:
    per_norm = config.d_model * (2 if config.norm == "layer" else 1)
    inside = 2 * config.head_dim * config.qk_norm
    if config.latent is not None:
        inside = config.latent.kv_rank + (config.latent.q_rank or 0)
    return config.n_layers * (2 * per_norm + inside) + per_norm
