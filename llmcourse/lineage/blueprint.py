"""What a real model is built of: sizes and choices as published, those that our Transformer lacks among them."""

from dataclasses import KW_ONLY, dataclass

from llmcourse.architecture import LatentAttentionConfig

__all__ = ["Blueprint", "Experts"]

_CHOICES = {
    "feed_forward": ("swiglu", "geglu", "gelu", "relu"),
    "norm": ("rms", "layer"),
    "position": ("rope", "learned", "alibi", "rope and none"),
    "qk_norm": ("none", "head", "width", "unit"),
}


@dataclass(frozen=True)
class Experts:
    r"""The experts of a model's feed-forward layers (Shazeer et al. 2017, arXiv:1701.06538).

    Attributes:
        n_experts: Routed experts in each layer that has experts.
        top_k: Those that a token uses.
        d_expert: Width inside one of them.
        shared_width: Joint width of the experts that every token uses; 0 where there are none.
        shared_gate: Their output is multiplied by a sigmoid of the token, which has a vector of its own.
        dense_first: This many layers at the start have no experts.
        every: Of the others, each ``every``-th has experts, the last of each run.
        biases: Routers and experts have biases.

    Raises:
        ValueError: A number is out of range.
    """

    _: KW_ONLY
    n_experts: int
    top_k: int
    d_expert: int
    shared_width: int = 0
    shared_gate: bool = False
    dense_first: int = 0
    every: int = 1
    biases: bool = False

    def __post_init__(self) -> None:
        for name, least in {"n_experts": 2, "top_k": 1, "d_expert": 1, "dense_first": 0, "every": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: give {least} or more")
        if self.top_k > self.n_experts:
            raise ValueError(f"top_k is {self.top_k} and n_experts is {self.n_experts}: a token uses some of them")


@dataclass(frozen=True)
class Blueprint:
    r"""Sizes and choices that decide how many parameters, bytes and operations a model has.

    Unlike :class:`llmcourse.architecture.ModelConfig`, which holds what our Transformer can compute, a blueprint holds
    what models have: :func:`llmcourse.lineage.model_config` turns one into the other, or says what is missing.

    Attributes:
        vocab_size: Rows of the embedding, those that pad it among them.
        d_model: Width of the residual stream.
        n_layers: Blocks.
        n_heads: Query heads.
        n_kv_heads: Heads of keys and values.
        head_dim: Features of a head; not always ``d_model / n_heads``.
        d_ff: Width inside a dense feed-forward layer; 0 where every layer has experts.
        feed_forward: "swiglu" and "geglu" have three matrices, "gelu" and "relu" two.
        norm: "rms" or "layer".
        norm_bias: Norms have a bias beside their gain.
        norms_per_layer: 2, or 4 where attention and feed-forward have one before and one after.
        tie_embeddings: The output projection is the embedding's matrix.
        position: "rope and none" is RoPE in most layers and nothing in the others.
        learned_positions: Rows of a table of positions; 0 without one.
        qkv_bias: The projections to queries, keys and values have biases.
        output_bias: The projection out of attention has one.
        feed_forward_bias: Dense feed-forward layers have biases.
        qk_norm: "head" has one gain for each feature of a head, "width" one for each feature of all heads, "unit" has
            no gain.
        window: Tokens that a layer with a window or chunk sees.
        full_every: Each ``full_every``-th layer sees all, the last of each run; 0 is none.
        sinks: Each head has a learned logit that takes weight and gives nothing.
        latent: Widths of multi-head latent attention.
        experts: Experts of the feed-forward layers.

    Raises:
        ValueError: A field is out of range, or two do not fit together; quotes the values.

    Example:
        >>> sizes = {"d_model": 64, "n_layers": 6, "n_heads": 4, "n_kv_heads": 2, "head_dim": 16, "d_ff": 160}
        >>> blueprint = Blueprint(vocab_size=100, **sizes, window=8, full_every=3)
        >>> [blueprint.window_of(layer) for layer in range(6)]
        [8, 8, None, 8, 8, None]
        >>> sorted(blueprint.choices)
        ['GQA', 'RMSNorm', 'RoPE', 'SwiGLU', 'local attention']
    """

    _: KW_ONLY
    vocab_size: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    d_ff: int
    feed_forward: str = "swiglu"
    norm: str = "rms"
    norm_bias: bool = False
    norms_per_layer: int = 2
    tie_embeddings: bool = False
    position: str = "rope"
    learned_positions: int = 0
    qkv_bias: bool = False
    output_bias: bool = False
    feed_forward_bias: bool = False
    qk_norm: str = "none"
    window: int | None = None
    full_every: int = 0
    sinks: bool = False
    latent: LatentAttentionConfig | None = None
    experts: Experts | None = None

    def __post_init__(self) -> None:
        least = dict.fromkeys(("vocab_size", "d_model", "n_layers", "n_heads", "n_kv_heads", "head_dim"), 1)
        least |= {"norms_per_layer": 1, "learned_positions": 0, "full_every": 0, "d_ff": 0 if self.experts else 1}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ValueError(f"{name} is {getattr(self, name)}: give {smallest} or more")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"n_heads is {self.n_heads} and n_kv_heads {self.n_kv_heads}: each serves equally many")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}: choose one of {', '.join(map(repr, allowed))}")
        if (self.position == "learned") != bool(self.learned_positions):
            raise ValueError(f"position is {self.position!r} and learned_positions is {self.learned_positions}")
        if self.window is None and self.full_every:
            raise ValueError(f"full_every is {self.full_every} and there is no window that the others have")
        if self.d_ff == 0 and self.n_expert_layers < self.n_layers:
            raise ValueError(f"d_ff is 0, and {self.n_layers - self.n_expert_layers} layers have no experts")

    def has_experts(self, layer: int) -> bool:
        """Return whether a layer's feed-forward is a mixture of experts; layers count from 0."""
        if self.experts is None or layer < self.experts.dense_first:
            return False
        return (layer - self.experts.dense_first + 1) % self.experts.every == 0

    def window_of(self, layer: int) -> int | None:
        """Return how many tokens a layer sees; None where it sees all."""
        return None if self.full_every and (layer + 1) % self.full_every == 0 else self.window

    @property
    def n_expert_layers(self) -> int:
        """Layers whose feed-forward is a mixture of experts."""
        return sum(self.has_experts(layer) for layer in range(self.n_layers))

    @property
    def choices(self) -> frozenset[str]:
        """Names of the choices that this model makes, of those whose spread the course follows."""
        grouped = 1 < self.n_kv_heads < self.n_heads and self.latent is None
        made = {
            "RMSNorm": self.norm == "rms",
            "RoPE": self.position.startswith("rope"),
            "GQA": grouped,
            "MQA": self.n_kv_heads == 1 < self.n_heads and self.latent is None,
            "MLA": self.latent is not None,
            "SwiGLU": self.feed_forward == "swiglu",
            "GeGLU": self.feed_forward == "geglu",
            "MoE": self.experts is not None,
            "QK-norm": self.qk_norm != "none",
            "tied embeddings": self.tie_embeddings,
            "local attention": self.window is not None,
        }
        return frozenset(name for name, is_made in made.items() if is_made)
