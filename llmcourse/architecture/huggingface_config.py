"""What the config.json of all families says: sizes, RoPE, and keys that change nothing that is computed.

A key that is not known is refused by name, unless it is switched off (null or false): it could change what the model
computes, and a model that loads and is subtly wrong is worse than one that does not load.
"""

from collections.abc import Mapping
from typing import Any

from llmcourse.architecture.config import ModelConfig
from llmcourse.architecture.rope_scaling import find_rope_scaling

__all__ = ["read_common", "refuse_unknown", "write_common"]

_SIZES = {
    "vocab_size": "vocab_size",
    "hidden_size": "d_model",
    "intermediate_size": "d_ff",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "max_position_embeddings": "max_seq_len",
}
_OPTIONAL = {"num_key_value_heads", "head_dim", "rms_norm_eps", "tie_word_embeddings", "initializer_range"}
_ROPE = {"rope_theta", "rope_scaling", "rope_parameters"}
# Keys that are used only with one value, which leaves the computation as it is.
_FIXED: dict[str, tuple[Any, ...]] = {
    "hidden_act": ("silu", "swish"),
    "attention_dropout": (0.0,),
    "is_encoder_decoder": (False,),
    "is_decoder": (False, True),
    "add_cross_attention": (False,),
    "chunk_size_feed_forward": (0,),
    "pruned_heads": ({},),  # transformers 4 says it of every model in memory
}
# What changes nothing that is computed; at the end, what older versions wrote of generation into every config.json.
_IGNORED = set(
    """
    model_type architectures transformers_version dtype torch_dtype _name_or_path name_or_path use_cache
    pretraining_tp bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id decoder_start_token_id
    mask_token_id tokenizer_class output_attentions output_hidden_states return_dict return_dict_in_generate
    output_scores id2label label2id problem_type task_specific_params finetuning_task prefix _attn_implementation
    max_sequence_length
    max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k
    top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size
    num_return_sequences remove_invalid_values exponential_decay_length_penalty
    """.split()
)


def refuse_unknown(
    given: Mapping[str, Any], extra: set[str], *, fixed: Mapping[str, tuple[Any, ...]] | None = None
) -> None:
    r"""Refuse keys that are not known, and known ones whose value is not supported.

    Args:
        given: config.json.
        extra: Keys that this family has beside those that all have.
        fixed: The values that a key may have.

    Raises:
        ValueError: Names the key and quotes its value.

    Example:
        >>> refuse_unknown({"logit_scale": 0.1}, set())
        Traceback (most recent call last):
        ValueError: config.json: the key 'logit_scale' (0.1) is not supported
    """
    fixed = _FIXED | dict(fixed or {})
    known = set(_SIZES) | _OPTIONAL | _ROPE | set(fixed) | _IGNORED | extra
    for key, value in given.items():
        if key not in known and value is not None and value is not False:
            raise ValueError(f"config.json: the key {key!r} ({value!r:.80}) is not supported")
        if key in fixed and value is not None and value not in fixed[key]:
            allowed = " or ".join(map(repr, fixed[key]))
            raise ValueError(f"config.json: {key} is {value!r}, and only {allowed} is supported")


def read_common(
    given: Mapping[str, Any], *, n_kv_heads: int | None = None, head_dim: int | None = None
) -> dict[str, Any]:
    r"""Read what all families say, as keyword arguments for a ModelConfig.

    Args:
        given: config.json.
        n_kv_heads: The family's default where the key is missing; None is as many as there are query heads.
        head_dim: Likewise; None is ``d_model / n_heads``.

    Returns:
        Names and values of fields.

    Raises:
        ValueError: A key is missing, or RoPE is scaled in an unknown way.
    """
    missing = [key for key in _SIZES if given.get(key) is None]
    if missing:
        raise ValueError(f"config.json: the key {missing[0]!r} is missing")
    sizes = {ours: given[theirs] for theirs, ours in _SIZES.items()}
    theta, scaling = _read_rope(given)
    # A key that is there and null means what transformers makes of null, which is not its default.
    n_kv_heads = given.get("num_key_value_heads", n_kv_heads)
    head_dim = given.get("head_dim", head_dim)
    return sizes | {
        "n_kv_heads": sizes["n_heads"] if n_kv_heads is None else n_kv_heads,
        "head_dim": sizes["d_model"] // sizes["n_heads"] if head_dim is None else head_dim,
        "norm_eps": given.get("rms_norm_eps", 1e-6),
        "tie_embeddings": bool(given.get("tie_word_embeddings", False)),
        "init_std": given.get("initializer_range", 0.02),
        "rope_theta": float(theta),
        "rope_scaling": scaling,
    }


def write_common(config: ModelConfig) -> dict[str, Any]:
    r"""Write what all families say. RoPE stands there twice: as transformers 5 writes it, and as 4 did.

    Args:
        config: Of the model that is to be saved.

    Returns:
        Keys and values of config.json.
    """
    sizes = {theirs: getattr(config, ours) for theirs, ours in _SIZES.items()}
    scaling = dict(config.rope_scaling or {})
    named = {"rope_type": scaling.pop("type", "default"), **scaling}
    return sizes | {
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.head_dim,
        "rms_norm_eps": config.norm_eps,
        "tie_word_embeddings": config.tie_embeddings,
        "initializer_range": config.init_std,
        "hidden_act": "silu",
        "rope_parameters": {"rope_theta": config.rope_theta, **named},
        "rope_theta": config.rope_theta,
        "rope_scaling": named if config.rope_scaling else None,
    }


def _read_rope(given: Mapping[str, Any]) -> tuple[float, dict[str, Any] | None]:
    """Read theta and scaling from ``rope_parameters`` (transformers 5), or ``rope_theta`` and ``rope_scaling``."""
    key = "rope_parameters" if given.get("rope_parameters") else "rope_scaling"
    options = dict(given.get(key) or {})
    theta = options.pop("rope_theta", given.get("rope_theta", 10000.0))
    old_name = options.pop("type", None)
    name = options.pop("rope_type", old_name) or "default"
    if any(isinstance(value, Mapping) for value in options.values()):
        raise ValueError(f"config.json: {key} differs between layers, which is not supported: {options!r:.120}")
    if options.pop("partial_rotary_factor", 1.0) != 1.0:
        raise ValueError(f"config.json: {key} has a partial_rotary_factor, which is not supported")
    if name == "default":
        if options:
            raise ValueError(f"config.json: {key} has {next(iter(options))!r}, which needs a rope_type")
        return theta, None
    try:
        find_rope_scaling(name)
    except ValueError as error:
        raise ValueError(f"config.json: {key} has rope_type {name!r}: {error}") from error
    return theta, {"type": name, **options}
