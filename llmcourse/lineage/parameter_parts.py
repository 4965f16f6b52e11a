"""How many parameters a blueprint has, part by part, and how many of them work on a token."""

from dataclasses import KW_ONLY, dataclass

from llmcourse.lineage.blueprint import Blueprint, Experts

__all__ = ["ParameterParts", "parameter_parts"]

_MATRICES = {"swiglu": 3, "geglu": 3, "gelu": 2, "relu": 2}  # of d_model x d_ff


@dataclass(frozen=True)
class ParameterParts:
    r"""Parameters by part; each stands under the matrix that it is stored in, once.

    Attributes:
        embedding: The token embedding.
        positions: A learned table of positions.
        attention: All projections, with their biases, sinks and inner norms.
        feed_forward: Dense feed-forward layers.
        routed: All routed experts.
        routed_active: Those that a token uses.
        shared: Experts that every token uses, with their gate.
        routers: What chooses experts.
        norms: Gains and biases of the residual stream's norms.
        head: The output projection; 0 where it is the embedding's matrix.
        vectors: Of the above but norms, what is added or scales and multiplies no token as a matrix does: biases, inner
            gains, sinks; of routed experts those that a token uses.
    """

    _: KW_ONLY
    embedding: int
    positions: int
    attention: int
    feed_forward: int
    routed: int
    routed_active: int
    shared: int
    routers: int
    norms: int
    head: int
    vectors: int

    @property
    def total(self) -> int:
        """All parameters: what a disc holds."""
        return self.active + self.routed - self.routed_active

    @property
    def active(self) -> int:
        """Those that work on a token: all but the experts that it does not use. Publishers count in several ways."""
        own = self.attention + self.feed_forward + self.routed_active + self.shared + self.routers + self.norms
        return own + self.embedding + self.positions + self.head

    @property
    def multiplied(self) -> int:
        """Elements of the matrices that a token is multiplied by: a look-up is none, a tied head is one."""
        looked_up = self.positions + (self.embedding if self.head else 0)
        return self.active - looked_up - self.norms - self.vectors


def parameter_parts(blueprint: Blueprint) -> ParameterParts:
    r"""Count the parameters of a blueprint.

    Args:
        blueprint: Sizes and choices.

    Returns:
        The count by part.

    Example:
        >>> mixtral = Blueprint(
        ...     vocab_size=32_000, d_model=4096, n_layers=32, n_heads=32, n_kv_heads=8, head_dim=128, d_ff=0,
        ...     experts=Experts(n_experts=8, top_k=2, d_expert=14_336),
        ... )
        >>> parts = parameter_parts(mixtral)
        >>> f"{parts.total / 1e9:.1f}B in all, {parts.active / 1e9:.1f}B work on a token"
        '46.7B in all, 12.9B work on a token'
    """
    table = blueprint.vocab_size * blueprint.d_model
    n_layers, n_expert_layers = blueprint.n_layers, blueprint.n_expert_layers
    attention, feed_forward = _attention(blueprint), _feed_forward(blueprint)
    vectors = n_layers * attention[1] + (n_layers - n_expert_layers) * feed_forward[1]
    routed = routed_active = shared = routers = 0
    if (experts := blueprint.experts) is not None:
        one = _expert(blueprint.d_model, experts)
        routed, routed_active = (n_expert_layers * n * sum(one) for n in (experts.n_experts, experts.top_k))
        gate = blueprint.d_model if experts.shared_gate else 0
        shared = n_expert_layers * (3 * blueprint.d_model * experts.shared_width + gate)
        routers = n_expert_layers * experts.n_experts * (blueprint.d_model + experts.biases)
        vectors += n_expert_layers * (experts.top_k * one[1] + experts.n_experts * experts.biases)
    return ParameterParts(
        embedding=table,
        positions=blueprint.learned_positions * blueprint.d_model,
        attention=n_layers * sum(attention),
        feed_forward=(n_layers - n_expert_layers) * sum(feed_forward),
        routed=routed,
        routed_active=routed_active,
        shared=shared,
        routers=routers,
        norms=(n_layers * blueprint.norms_per_layer + 1) * blueprint.d_model * (1 + blueprint.norm_bias),
        head=0 if blueprint.tie_embeddings else table,
        vectors=vectors,
    )


def _attention(blueprint: Blueprint) -> tuple[int, int]:
    """Return the elements of one layer's attention: of its matrices, and of its vectors."""
    if blueprint.latent is not None:
        return _latent_attention(blueprint)
    width, q = blueprint.d_model, blueprint.n_heads * blueprint.head_dim
    kv = blueprint.n_kv_heads * blueprint.head_dim
    biases = blueprint.qkv_bias * (q + 2 * kv) + blueprint.output_bias * width
    gains = {"head": 2 * blueprint.head_dim, "width": q + kv}.get(blueprint.qk_norm, 0)
    return 2 * width * (q + kv), biases + gains + blueprint.sinks * blueprint.n_heads


def _latent_attention(blueprint: Blueprint) -> tuple[int, int]:
    """Return the same for latent attention: steps down and up, each step down with a norm behind it."""
    latent, width, heads = blueprint.latent, blueprint.d_model, blueprint.n_heads
    assert latent is not None
    q = heads * (latent.nope_head_dim + latent.rope_head_dim)
    queries = width * q if latent.q_rank is None else latent.q_rank * (width + q)
    down = width * (latent.kv_rank + latent.rope_head_dim)
    up = latent.kv_rank * heads * (latent.nope_head_dim + latent.value_head_dim)
    return queries + down + up + heads * latent.value_head_dim * width, latent.kv_rank + (latent.q_rank or 0)


def _feed_forward(blueprint: Blueprint) -> tuple[int, int]:
    n_matrices = _MATRICES[blueprint.feed_forward]
    biases = (n_matrices - 1) * blueprint.d_ff + blueprint.d_model
    return n_matrices * blueprint.d_model * blueprint.d_ff, blueprint.feed_forward_bias * biases


def _expert(d_model: int, experts: Experts) -> tuple[int, int]:
    return 3 * d_model * experts.d_expert, experts.biases * (2 * experts.d_expert + d_model)
