"""Which checkpoints can be read and written: one entry for each ``model_type`` of Hugging Face's config.json.

An entry says how a configuration is read and written and what each tensor is called. Llama, Mistral, Qwen2 and Qwen3
stand here; a later chapter registers others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmcourse.architecture.config import ModelConfig
from llmcourse.architecture.huggingface_config import read_common, refuse_unknown, write_common

__all__ = ["CHECKPOINT_FAMILIES", "Family", "family_for", "family_named", "register_checkpoint_family", "tensor_name"]

# Ours, and Hugging Face's in all these families.
_NAMES = {
    "embedding": "model.embed_tokens",
    "output": "lm_head",
    "norm": "model.norm",
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.out": "self_attn.o_proj",
    "attention.q_norm": "self_attn.q_norm",
    "attention.k_norm": "self_attn.k_norm",
    "feed_forward.w1": "mlp.up_proj",
    "feed_forward.w_gate": "mlp.gate_proj",
    "feed_forward.w2": "mlp.down_proj",
}


def tensor_name(ours: str) -> str | tuple[str, ...]:
    r"""Return what these families call one of our tensors.

    Args:
        ours: A name in our state dict.

    Returns:
        Their name. A family may give several in place of one: their tensors, stacked, are ours.

    Example:
        >>> tensor_name("blocks.3.feed_forward.w1.weight")
        'model.layers.3.mlp.up_proj.weight'
    """
    stem, _, kind = ours.rpartition(".")  # "weight" or "bias"
    if not stem.startswith("blocks."):
        return f"{_NAMES[stem]}.{kind}"
    _, number, inner = stem.split(".", 2)
    return f"model.layers.{number}.{_NAMES[inner]}.{kind}"


@dataclass(frozen=True, kw_only=True)
class Family:
    r"""How the checkpoints of one ``model_type`` are read and written.

    Attributes:
        model_type: What config.json says.
        architecture: The class of transformers that reads it.
        read: Turns config.json into a configuration, and refuses by name what it cannot.
        write: Turns a configuration into the keys that ``read`` reads.
        tensor_name: Their name of one of our tensors, or several names where theirs, stacked, are ours.
    """

    model_type: str
    architecture: str
    read: Callable[[Mapping[str, Any]], ModelConfig]
    write: Callable[[ModelConfig], dict[str, Any]]
    tensor_name: Callable[[str], str | tuple[str, ...]] = field(default=tensor_name)


CHECKPOINT_FAMILIES: dict[str, Family] = {}


def register_checkpoint_family(family: Family) -> None:
    """Enter a family under its ``model_type``; saving tries those that were entered first, first."""
    CHECKPOINT_FAMILIES[family.model_type] = family


def family_named(model_type: object) -> Family:
    r"""Return the family of a ``model_type``.

    Args:
        model_type: What config.json says.

    Returns:
        The entry of the registry.

    Raises:
        ValueError: There is none of that name.
    """
    if not isinstance(model_type, str) or model_type not in CHECKPOINT_FAMILIES:
        known = ", ".join(map(repr, CHECKPOINT_FAMILIES))
        raise ValueError(f"config.json: model_type is {model_type!r}, not one of {known}; llmcourse.emerging adds more")
    return CHECKPOINT_FAMILIES[model_type]


def family_for(config: ModelConfig) -> Family:
    r"""Return the first family that can say all that a configuration says: what it writes reads back the same.

    Args:
        config: Of the model that is to be saved.

    Returns:
        An entry of the registry.

    Raises:
        ValueError: No family can; names the fields that each would lose.
    """
    losses = {}
    for family in CHECKPOINT_FAMILIES.values():
        try:
            back = _comparable(family.read(family.write(config)))
        except ValueError as error:
            losses[family.model_type] = str(error)
            continue
        wanted = _comparable(config)
        lost = [name for name in wanted.__dataclass_fields__ if getattr(wanted, name) != getattr(back, name)]
        if not lost:
            return family
        losses[family.model_type] = ", ".join(f"{name}={getattr(config, name)!r}" for name in lost)
    told = "; ".join(f"{name} cannot hold {lost}" for name, lost in losses.items())
    raise ValueError(f"no checkpoint family can hold this configuration: {told}")


def _comparable(config: ModelConfig) -> ModelConfig:
    """Spell the window layer by layer, and leave the pairing out: tensors are converted to "half" when saved."""
    windows = tuple(config.window_of(layer) for layer in range(config.n_layers))
    return replace(config, window=windows, rope_pairing="half")


def _read_llama(given: Mapping[str, Any]) -> ModelConfig:
    refuse_unknown(given, {"attention_bias", "mlp_bias"}, fixed={"mlp_bias": (False,)})
    bias = bool(given.get("attention_bias", False))
    return ModelConfig(**read_common(given), qkv_bias=bias, output_bias=bias)


def _write_llama(config: ModelConfig) -> dict[str, Any]:
    return write_common(config) | {"attention_bias": config.qkv_bias, "mlp_bias": False}


def _read_mistral(given: Mapping[str, Any]) -> ModelConfig:
    refuse_unknown(given, {"sliding_window"})
    return ModelConfig(**read_common(given, n_kv_heads=8), window=given.get("sliding_window"))


def _write_mistral(config: ModelConfig) -> dict[str, Any]:
    return write_common(config) | {"sliding_window": config.window_of(0)}


def _read_qwen2(given: Mapping[str, Any]) -> ModelConfig:
    refuse_unknown(given, _LAYERED_WINDOW | {"use_mrope"}, fixed={"use_mrope": (False,)})
    return ModelConfig(**read_common(given, n_kv_heads=32), window=_read_windows(given), qkv_bias=True)


def _write_qwen2(config: ModelConfig) -> dict[str, Any]:
    return write_common(config) | _write_windows(config)


def _read_qwen3(given: Mapping[str, Any]) -> ModelConfig:
    refuse_unknown(given, _LAYERED_WINDOW | {"attention_bias"})
    bias = bool(given.get("attention_bias", False))
    sizes = read_common(given, n_kv_heads=32, head_dim=128)
    return ModelConfig(**sizes, window=_read_windows(given), qk_norm=True, qkv_bias=bias, output_bias=bias)


def _write_qwen3(config: ModelConfig) -> dict[str, Any]:
    return write_common(config) | _write_windows(config) | {"attention_bias": config.qkv_bias}


_LAYERED_WINDOW = {"use_sliding_window", "sliding_window", "max_window_layers", "layer_types"}


def _read_windows(given: Mapping[str, Any]) -> tuple[int | None, ...] | int | None:
    """Qwen's way: a switch, one width, and which layers have it, by a list or by the first layer's number."""
    width, n_layers = given.get("sliding_window"), given["num_hidden_layers"]
    if not given.get("use_sliding_window", False) or width is None:
        return None
    first = given.get("max_window_layers", 28)
    default = ["full_attention" if layer < first else "sliding_attention" for layer in range(n_layers)]
    kinds = given.get("layer_types") or default
    if len(kinds) != n_layers or not set(kinds) <= {"full_attention", "sliding_attention"}:
        raise ValueError(f"config.json: layer_types is {kinds!r}, not {n_layers} of full_ or sliding_attention")
    windows = tuple(width if kind == "sliding_attention" else None for kind in kinds)
    return windows[0] if len(set(windows)) == 1 else windows


def _write_windows(config: ModelConfig) -> dict[str, Any]:
    windows = [config.window_of(layer) for layer in range(config.n_layers)]
    widths = {window for window in windows if window is not None}
    if len(widths) > 1:
        raise ValueError(f"windows of {len(widths)} widths, {sorted(widths)}")
    kinds = ["sliding_attention" if window else "full_attention" for window in windows]
    first = kinds.index("sliding_attention") if widths else config.n_layers
    windowed = {"use_sliding_window": bool(widths), "sliding_window": next(iter(widths), None)}
    return windowed | {"max_window_layers": first, "layer_types": kinds}


for _family in (
    Family(model_type="llama", architecture="LlamaForCausalLM", read=_read_llama, write=_write_llama),
    Family(model_type="mistral", architecture="MistralForCausalLM", read=_read_mistral, write=_write_mistral),
    Family(model_type="qwen2", architecture="Qwen2ForCausalLM", read=_read_qwen2, write=_write_qwen2),
    Family(model_type="qwen3", architecture="Qwen3ForCausalLM", read=_read_qwen3, write=_write_qwen3),
):
    register_checkpoint_family(_family)
