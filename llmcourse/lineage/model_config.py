"""From what a model is built of to what our Transformer can build."""

from typing import Any

from llmcourse import emerging  # registers "moe" among the feed-forward layers
from llmcourse.architecture import ModelConfig
from llmcourse.lineage.blueprint import Blueprint
from llmcourse.lineage.catalogue import blueprint_of
from llmcourse.lineage.model import Model

__all__ = ["model_config", "unsupported_choices"]


def unsupported_choices(model: str | Model | Blueprint) -> list[str]:
    r"""Say what a model has that our Transformer lacks.

    Args:
        model: A name in ``MODELS``, a model, or a blueprint.

    Returns:
        One entry for each; empty where the Transformer has all.

    Raises:
        ValueError: The model is unknown, or its sizes are not published.

    Example:
        >>> unsupported_choices("Gemma 2 9B")
        ['a feed-forward layer of geglu', '4 norms in a layer']
        >>> unsupported_choices("Qwen3 235B-A22B")
        []
    """
    blueprint = blueprint_of(model)
    experts = blueprint.experts
    lacking = {
        f"a feed-forward layer of {blueprint.feed_forward}": blueprint.feed_forward not in ("swiglu", "gelu"),
        "biases in the feed-forward layer": blueprint.feed_forward_bias,
        f"{blueprint.norms_per_layer} norms in a layer": blueprint.norms_per_layer != 2,
        "a LayerNorm without bias": blueprint.norm == "layer" and not blueprint.norm_bias,
        f"positions by {blueprint.position!r}": blueprint.position not in ("rope", "learned"),
        f"QK-norm of kind {blueprint.qk_norm!r}": blueprint.qk_norm not in ("none", "head"),
        "attention sinks": blueprint.sinks,
        "layers with experts and layers without": 0 < blueprint.n_expert_layers < blueprint.n_layers,
        "biases in experts": experts is not None and experts.biases,
        "shared experts of another width": experts is not None and experts.shared_width % experts.d_expert != 0,
    }
    return [name for name, is_lacking in lacking.items() if is_lacking]


def model_config(model: str | Model | Blueprint, *, max_seq_len: int | None = None) -> ModelConfig:
    r"""Return the configuration of a :class:`llmcourse.architecture.Transformer` of a model's sizes.

    On torch's meta device it takes no memory, so that even 405B parameters can be built and counted. What is no size,
    such as RoPE's base, is left at its default: :func:`llmcourse.architecture.load_huggingface` reads that with the
    weights.

    Args:
        model: A name in ``MODELS``, a model, or a blueprint.
        max_seq_len: Tokens; by default the model's own context, or 2048 for a blueprint.

    Returns:
        A configuration.

    Raises:
        ValueError: The Transformer lacks something that the model has; says what.

    Example:
        >>> import torch
        >>> from llmcourse.architecture import Transformer
        >>> with torch.device("meta"):
        ...     model = Transformer(model_config("Qwen3 30B-A3B"))
        >>> f"{sum(parameter.numel() for parameter in model.parameters()):,}"
        '30,532,122,624'
    """
    blueprint = blueprint_of(model)
    if lacking := unsupported_choices(blueprint):
        raise ValueError(f"our Transformer lacks {', '.join(lacking)}: count with parameter_count_of instead")
    known = blueprint.learned_positions or (model.context if isinstance(model, Model) else None)
    names = (
        "vocab_size",
        "d_model",
        "n_layers",
        "n_heads",
        "n_kv_heads",
        "head_dim",
        "norm",
        "qkv_bias",
        "output_bias",
    )
    return ModelConfig(
        **{name: getattr(blueprint, name) for name in names},
        **_feed_forward(blueprint),
        tie_embeddings=blueprint.tie_embeddings,
        position_embedding=blueprint.position,
        qk_norm=blueprint.qk_norm == "head",
        latent=blueprint.latent,
        max_seq_len=max_seq_len or known or 2048,
        window=tuple(blueprint.window_of(layer) for layer in range(blueprint.n_layers)) if blueprint.window else None,
    )


def _feed_forward(blueprint: Blueprint) -> dict[str, Any]:
    experts = blueprint.experts
    if experts is None:
        return {"feed_forward": blueprint.feed_forward, "d_ff": blueprint.d_ff}
    options = emerging.MoEConfig(
        n_experts=experts.n_experts,
        top_k=experts.top_k,
        n_shared_experts=experts.shared_width // experts.d_expert,
        shared_gate=experts.shared_gate,
    )
    return {"feed_forward": "moe", "d_ff": experts.d_expert, "feed_forward_options": vars(options)}
