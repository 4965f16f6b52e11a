"""What training costs, in floating-point operations, part by part; and where 6 N D errs."""

from dataclasses import KW_ONLY, dataclass

from llmcourse.architecture import ModelConfig
from llmcourse.scaling.counts import attention_matrices, feed_forward_matrices

__all__ = ["TrainingFlops", "training_flops"]

_TRAINING = 3  # a forward pass, and a backward pass of twice its cost: gradients of the inputs and of the weights


@dataclass(frozen=True)
class TrainingFlops:
    r"""FLOP of matrix multiplications by part, forward and backward; an addition and a multiplication are two.

    Norms, rotations, activations and the softmax are left out, as torch's counter leaves them out: they take time
    (they move bytes) but few operations.

    Attributes:
        embedding: Always 0: a look-up multiplies nothing.
        attention_projections: Queries, keys, values and the way out.
        attention_scores: Queries times keys, and weights times values: the only part that grows with the sequence.
        feed_forward: The feed-forward matrices.
        head: The output projection.
    """

    _: KW_ONLY
    embedding: int = 0
    attention_projections: int
    attention_scores: int
    feed_forward: int
    head: int

    @property
    def total(self) -> int:
        """The sum of all parts."""
        return self.attention_projections + self.attention_scores + self.feed_forward + self.head


def training_flops(
    config: ModelConfig, tokens: int, *, seq_len: int | None = None, causal: bool = False
) -> TrainingFlops:
    r"""Count the FLOP of training on a number of tokens.

    6 N D (Kaplan et al. 2020, arXiv:2001.08361) is what a weight costs: one multiplication and one addition forward,
    twice as many backward. With the total N it counts an untied embedding, which costs nothing; and it leaves out the
    scores, which cost 12 n_layers n_heads head_dim T a token.

    Args:
        config: Sizes and choices.
        tokens: How many the model is trained on: D.
        seq_len: The length of the sequences they come in, ``max_seq_len`` by default; divides ``tokens``.
        causal: Count only the scores that the causal mask and the window leave, about half, as a kernel that skips
            the others computes them. By default all T x T are counted, which is what plain code computes.

    Returns:
        FLOP by part, exact.

    Raises:
        ValueError: Sequences do not divide the tokens, or the feed-forward layer is unknown.

    Example:
        >>> config = ModelConfig(vocab_size=50_000, d_model=768, n_layers=12, n_heads=12, d_ff=2048, max_seq_len=1024)
        >>> flops = training_flops(config, 1024)
        >>> f"{flops.total:.4g}, of which scores are {flops.attention_scores / flops.total:.0%}"
        '8.737e+11, of which scores are 13%'
    """
    seq_len = config.max_seq_len if seq_len is None else seq_len
    if seq_len < 1 or tokens % seq_len:
        raise ValueError(f"tokens is {tokens} and seq_len {seq_len}: give a whole number of sequences")
    per_weight = 2 * _TRAINING * tokens
    pairs = [_pairs(seq_len, config.window_of(layer), causal) for layer in range(config.n_layers)]
    value_dim = config.latent.value_head_dim if config.latent else config.head_dim
    per_pair = 2 * _TRAINING * config.n_heads * (config.head_dim + value_dim)
    return TrainingFlops(
        attention_projections=per_weight * config.n_layers * sum(attention_matrices(config)),
        attention_scores=per_pair * sum(pairs) * (tokens // seq_len),
        feed_forward=per_weight * config.n_layers * sum(feed_forward_matrices(config)),
        head=per_weight * config.d_model * config.vocab_size,
    )


def _pairs(seq_len: int, window: int | None, causal: bool) -> int:
    """Return how many pairs of a query and a key one head of one sequence computes."""
    if not causal:
        return seq_len * seq_len
    reach = seq_len if window is None else min(window, seq_len)
    return reach * (reach + 1) // 2 + (seq_len - reach) * reach
