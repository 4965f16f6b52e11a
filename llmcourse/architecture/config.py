"""The sizes and choices that make one Transformer: a frozen record that checks itself."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any

__all__ = ["LatentAttentionConfig", "ModelConfig"]

_DERIVED: Any = None  # not given: __post_init__ works it out from other fields


@dataclass(frozen=True)
class LatentAttentionConfig:
    r"""The widths of multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1).

    Attributes:
        kv_rank: Width of the compressed keys and values that a cache holds: the paper's d_c.
        q_rank: Width of the compressed queries, the paper's d'_c; None projects queries directly.
        nope_head_dim: Features of a head's query and key that carry no position.
        rope_head_dim: Features that do, shared by the keys of all heads: the paper's d_h^R.
        value_head_dim: Features of a head's value.
    """

    _: KW_ONLY
    kv_rank: int
    q_rank: int | None = None
    nope_head_dim: int
    rope_head_dim: int
    value_head_dim: int

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (name == "q_rank" and value is None):
                _check_size(name, value)
        if self.rope_head_dim % 2:
            raise ValueError(f"rope_head_dim is {self.rope_head_dim}: rotation turns pairs, so make it even")


@dataclass(frozen=True)
class ModelConfig:
    r"""What :class:`llmcourse.architecture.Transformer` is built from.

    Attributes:
        vocab_size: Rows of the embedding.
        d_model: Width of the residual stream.
        n_layers: Blocks.
        n_heads: Query heads.
        n_kv_heads: Heads of keys and values: ``n_heads`` is MHA (the default), 1 is MQA, between them is GQA.
        head_dim: Features of a head; ``d_model / n_heads`` unless given, and not always that in real models.
        d_ff: Width inside the feed-forward layer. By default 4 ``d_model``, or, for "swiglu", which has three
            matrices in place of two, 8/3 ``d_model`` rounded up to a multiple of 8.
        max_seq_len: The longest sequence the model is meant for, in tokens; a limit only for learned positions.
        rope_theta: The base of RoPE's frequencies.
        rope_scaling: ``{"type": "llama3", "factor": 8.0, ...}``; see :mod:`llmcourse.architecture.rope_scaling`.
        rope_pairing: "half" pairs feature i with i + head_dim / 2 (Hugging Face), "interleaved" 2i with 2i + 1 (Meta).
        norm: "rms" or "layer".
        norm_eps: Added to the mean square (or the variance).
        tie_embeddings: The output projection is the embedding's matrix.
        position_embedding: "rope", "learned" (absolute, added to the token's embedding) or "none".
        qkv_bias: The projections to queries, keys and values have biases (Qwen2).
        output_bias: The projection out of attention has one.
        qk_norm: Each head's query and key are RMS-normalised before rotation (Qwen3).
        window: Each token attends to this many tokens, itself among them; None is all before it. A tuple gives each
            layer its own.
        attention_scale: What multiplies the scores; ``1 / sqrt(head_dim)`` unless given.
        latent: Multi-head latent attention in place of the above, with these widths.
        feed_forward: The key of a layer in :data:`llmcourse.architecture.FEED_FORWARDS`.
        feed_forward_options: What that layer needs beside ``d_model`` and ``d_ff``.
        init_std: Standard deviation of the weights at the start.

    Raises:
        ValueError: A field is out of range, or two do not fit together; quotes the values.

    Example:
        >>> config = ModelConfig(vocab_size=32, d_model=64, n_layers=2, n_heads=4, n_kv_heads=2)
        >>> config.head_dim, config.d_ff
        (16, 176)
        >>> ModelConfig(vocab_size=32, d_model=64, n_layers=2, n_heads=4, n_kv_heads=3)
        Traceback (most recent call last):
        ValueError: n_heads is 4 and n_kv_heads is 3: each key-value head serves equally many query heads
    """

    _: KW_ONLY
    vocab_size: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int = _DERIVED
    head_dim: int = _DERIVED
    d_ff: int = _DERIVED
    max_seq_len: int = 2048
    rope_theta: float = 10000.0
    rope_scaling: Mapping[str, Any] | None = field(default=None, hash=False)
    rope_pairing: str = "half"
    norm: str = "rms"
    norm_eps: float = 1e-5
    tie_embeddings: bool = False
    position_embedding: str = "rope"
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: bool = False
    window: int | tuple[int | None, ...] | None = None
    attention_scale: float | None = None
    latent: LatentAttentionConfig | None = None
    feed_forward: str = "swiglu"
    feed_forward_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    init_std: float = 0.02

    def __post_init__(self) -> None:
        for name in ("vocab_size", "d_model", "n_layers", "n_heads", "max_seq_len"):
            _check_size(name, getattr(self, name))
        self._derive()
        for name in ("n_kv_heads", "head_dim", "d_ff"):
            _check_size(name, getattr(self, name))
        self._check_attention()
        self._check_choices()
        for name in ("rope_theta", "norm_eps", "init_std"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}: it has to be greater than 0")

    def _derive(self) -> None:
        if self.n_kv_heads is None:
            self._set("n_kv_heads", self.n_heads)
        if self.head_dim is None:
            if self.latent is None and self.d_model % self.n_heads:
                raise ValueError(f"d_model is {self.d_model} and n_heads is {self.n_heads}: give head_dim as well")
            latent = self.latent
            self._set(
                "head_dim", latent.nope_head_dim + latent.rope_head_dim if latent else self.d_model // self.n_heads
            )
        if self.d_ff is None:
            swiglu = -(-8 * self.d_model // 24) * 8
            self._set("d_ff", swiglu if self.feed_forward == "swiglu" else 4 * self.d_model)
        if self.rope_scaling is not None:
            self._set("rope_scaling", dict(self.rope_scaling))
        self._set("feed_forward_options", dict(self.feed_forward_options))
        if isinstance(self.window, list):
            self._set("window", tuple(self.window))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_attention(self) -> None:
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"n_heads is {self.n_heads} and n_kv_heads is {self.n_kv_heads}: "
                "each key-value head serves equally many query heads"
            )
        if self.head_dim % 2 and self.position_embedding == "rope":
            raise ValueError(f"head_dim is {self.head_dim}: rotation turns pairs, so make it even")
        if isinstance(self.window, tuple) and len(self.window) != self.n_layers:
            raise ValueError(f"window has {len(self.window)} entries for {self.n_layers} layers: give one for each")
        for layer in range(self.n_layers):
            if self.window_of(layer) is not None:
                _check_size("window", self.window_of(layer))
        if self.latent is not None:
            self._check_latent(self.latent)

    def _check_latent(self, latent: LatentAttentionConfig) -> None:
        if self.head_dim != latent.nope_head_dim + latent.rope_head_dim:
            raise ValueError(
                f"head_dim is {self.head_dim}, but latent attention's heads have {latent.nope_head_dim} + "
                f"{latent.rope_head_dim} features: leave head_dim out"
            )
        wrong = {"qkv_bias": self.qkv_bias, "output_bias": self.output_bias, "qk_norm": self.qk_norm}
        wrong["n_kv_heads"] = self.n_kv_heads != self.n_heads
        wrong["position_embedding"] = self.position_embedding != "rope"
        for name in (name for name, is_wrong in wrong.items() if is_wrong):
            raise ValueError(f"{name} is {getattr(self, name)!r}, which latent attention does not have: leave it out")

    def _check_choices(self) -> None:
        choices = {
            "norm": ("rms", "layer"),
            "position_embedding": ("rope", "learned", "none"),
            "rope_pairing": ("half", "interleaved"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}: choose one of {', '.join(map(repr, allowed))}")
        if self.rope_scaling is not None and "type" not in self.rope_scaling:
            raise ValueError(f"rope_scaling is {self.rope_scaling!r}: it needs a 'type', 'llama3' for instance")

    def window_of(self, layer: int) -> int | None:
        """Return the window of a layer, in tokens; None where it sees all."""
        return self.window[layer] if isinstance(self.window, tuple) else self.window


def _check_size(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is {value!r}: it has to be a whole number of at least 1")
