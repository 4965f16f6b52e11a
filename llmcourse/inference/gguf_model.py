"""A Transformer and its tokenizer in the names that llama.cpp has for them, and back."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.architecture.rope import convert_pairing
from llmcourse.inference.gguf_file import GGUF
from llmcourse.tokenization import PATTERNS, BPETokenizer
from llmcourse.tokenization.byte_alphabet import from_printable, to_printable

__all__ = ["model_from_gguf", "model_to_gguf", "tokenizer_from_gguf"]

# Ours, and those of llama.cpp (gguf-py's constants.py).
_OUTER = {"embedding": "token_embd", "norm": "output_norm", "output": "output"}
_INNER = {
    "attention_norm": "attn_norm",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.out": "attn_output",
    "attention.q_norm": "attn_q_norm",
    "attention.k_norm": "attn_k_norm",
    "feed_forward_norm": "ffn_norm",
    "feed_forward.w1": "ffn_up",
    "feed_forward.w_gate": "ffn_gate",
    "feed_forward.w2": "ffn_down",
}
# What llama.cpp computes by the architecture's name: biases, norms of heads, and which features RoPE turns together.
_ARCHITECTURES = {
    "llama": {"qkv_bias": False, "qk_norm": False, "rope_pairing": "interleaved"},
    "qwen2": {"qkv_bias": True, "qk_norm": False, "rope_pairing": "half"},
    "qwen3": {"qkv_bias": False, "qk_norm": True, "rope_pairing": "half"},
}
_NORMAL, _CONTROL, _UNUSED = 1, 3, 5
_PRE_TOKENIZERS = {"gpt2": "gpt-2", "o200k": "gpt-4o"}


def model_to_gguf(
    model: Transformer,
    tokenizer: BPETokenizer | None = None,
    *,
    name: str = "llmcourse",
    bos_token: str | None = None,
    eos_token: str | None = None,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    r"""Return what :func:`llmcourse.inference.write_gguf` writes of a model: tensors and metadata.

    Args:
        model: Of Llama's kind, or Qwen2's with biases, or Qwen3's with norms of queries and keys.
        tokenizer: Its tokenizer; llama.cpp needs one to take text.
        name: Of the model, for people.
        bos_token: The special token that begins a text.
        eos_token: The special token that ends one.

    Returns:
        Tensors and metadata by llama.cpp's names. Ids that the tokenizer lacks are filled up to the model's vocabulary.

    Raises:
        ValueError: llama.cpp has no architecture of these choices, or no pre-tokenizer of this pattern.

    Example:
        >>> model = Transformer(ModelConfig(vocab_size=8, d_model=8, n_layers=1, n_heads=2))
        >>> tensors, metadata = model_to_gguf(model)
        >>> list(tensors)[:3], metadata["llama.block_count"]
        (['token_embd.weight', 'blk.0.attn_norm.weight', 'blk.0.attn_q.weight'], 1)
    """
    config = model.config
    architecture = _architecture_of(config)
    pairing = _ARCHITECTURES[architecture]["rope_pairing"]
    tensors = {}
    for ours, tensor in model.state_dict().items():
        if not (ours == "output.weight" and config.tie_embeddings):
            tensors[_tensor_name(ours)] = _turn(ours, tensor, config, pairing)
    metadata = {"general.architecture": architecture, "general.name": name, "general.quantization_version": 2}
    metadata |= {f"{architecture}.{key}": value for key, value in _sizes(config).items()}
    if tokenizer is not None:
        metadata |= _tokenizer_metadata(tokenizer, config.vocab_size, bos_token, eos_token)
    return tensors, metadata


def model_from_gguf(held: GGUF) -> Transformer:
    r"""Make the model of a file, with its weights in fp32.

    Args:
        held: Read by :func:`llmcourse.inference.read_gguf`.

    Returns:
        A model in evaluation mode.

    Raises:
        ValueError: The architecture is another one, a key is missing, or a tensor is missing, one too many, or of
            another shape; names it.
    """
    config = _read_config(held)
    with torch.device("meta"):
        model = Transformer(config)
    state, left = {}, set(held.tensors)
    for ours, wanted in model.state_dict().items():
        name = _tensor_name("embedding.weight" if ours == "output.weight" and config.tie_embeddings else ours)
        if name not in held.tensors or held.tensors[name].shape != tuple(wanted.shape):
            found = held.tensors[name].shape if name in held.tensors else "missing"
            raise ValueError(f"tensor {name!r}: is {found}, and {tuple(wanted.shape)} is what the metadata ask for")
        state[ours] = held.tensors[name].dequantize()
        left.discard(name)
    if left:
        raise ValueError(f"tensor {min(left)!r}: has no place in this model")
    model.load_state_dict(state, assign=True)
    if config.tie_embeddings:
        model.output.weight = model.embedding.weight
    return model.requires_grad_().eval()


def tokenizer_from_gguf(held: GGUF) -> BPETokenizer:
    r"""Make the tokenizer of a file.

    Args:
        held: Read by :func:`llmcourse.inference.read_gguf`.

    Returns:
        A tokenizer; ids that are marked as unused have no token.

    Raises:
        ValueError: It is no byte-level BPE, or its pre-tokenizer is unknown; names the key.
    """
    for key, known in (("model", ["gpt2"]), ("pre", list(_PRE_TOKENIZERS.values()))):
        if (value := _get(held.metadata, f"tokenizer.ggml.{key}")) not in known:
            raise ValueError(f"metadata 'tokenizer.ggml.{key}': is {value!r}, and {' and '.join(known)} are known")
    pattern = next(ours for ours, pre in _PRE_TOKENIZERS.items() if pre == held.metadata["tokenizer.ggml.pre"])
    tokens, types = (_get(held.metadata, f"tokenizer.ggml.{key}") for key in ("tokens", "token_type"))
    if len(tokens) != len(types):
        raise ValueError(f"metadata 'tokenizer.ggml.token_type': has {len(types)} elements for {len(tokens)} tokens")
    kinds = list(enumerate(zip(tokens, types, strict=True)))
    vocab = {i: from_printable(token) for i, (token, type) in kinds if type == _NORMAL}
    special = {token: i for i, (token, type) in kinds if type == _CONTROL}
    pairs = [merge.split(" ") for merge in held.metadata.get("tokenizer.ggml.merges", [])]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("metadata 'tokenizer.ggml.merges': an element is no pair of tokens with a space between them")
    merges = [(from_printable(left), from_printable(right)) for left, right in pairs]
    return BPETokenizer(vocab, merges, special, pattern)


def _architecture_of(config: ModelConfig) -> str:
    chosen = {"norm": "rms", "feed_forward": "swiglu", "position_embedding": "rope", "rope_scaling": None}
    chosen |= {"latent": None, "window": None, "attention_scale": None, "output_bias": False}
    for field, value in chosen.items():
        if getattr(config, field) != value:
            raise ValueError(f"{field} is {getattr(config, field)!r}: a file for llama.cpp can hold {value!r} alone")
    for architecture, choices in _ARCHITECTURES.items():
        if (config.qkv_bias, config.qk_norm) == (choices["qkv_bias"], choices["qk_norm"]):
            return architecture
    raise ValueError(f"qkv_bias is {config.qkv_bias} and qk_norm {config.qk_norm}: llama.cpp has either, not both")


def _tensor_name(ours: str) -> str:
    stem, _, kind = ours.rpartition(".")  # "weight" or "bias"
    if not stem.startswith("blocks."):
        return f"{_OUTER[stem]}.{kind}"
    _, number, inner = stem.split(".", 2)
    return f"blk.{number}.{_INNER[inner]}.{kind}"


def _turn(name: str, tensor: Tensor, config: ModelConfig, pairing: Any) -> Tensor:
    """Reorder the features of queries and keys where the file's RoPE pairs others than the model's."""
    part = name.split(".")[-2]
    if part not in ("q", "k", "q_norm", "k_norm") or config.rope_pairing == pairing:
        return tensor
    return convert_pairing(tensor, config.head_dim, to=pairing)


def _sizes(config: ModelConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "context_length": config.max_seq_len,
        "embedding_length": config.d_model,
        "block_count": config.n_layers,
        "feed_forward_length": config.d_ff,
        "attention.head_count": config.n_heads,
        "attention.head_count_kv": config.n_kv_heads,
        "attention.key_length": config.head_dim,
        "attention.value_length": config.head_dim,
        "attention.layer_norm_rms_epsilon": float(config.norm_eps),
        "rope.dimension_count": config.head_dim,
        "rope.freq_base": float(config.rope_theta),
    }


def _read_config(held: GGUF) -> ModelConfig:
    metadata = held.metadata
    architecture = _get(metadata, "general.architecture")
    if architecture not in _ARCHITECTURES:
        known = ", ".join(_ARCHITECTURES)
        raise ValueError(f"metadata 'general.architecture': is {architecture!r}, and {known} are known")
    if (scaling := metadata.get(f"{architecture}.rope.scaling.type", "none")) != "none":
        raise ValueError(f"metadata '{architecture}.rope.scaling.type': is {scaling!r}, and 'none' is known")

    def size(key: str, default: Any = None) -> Any:
        return _get(metadata, f"{architecture}.{key}", default)

    d_model, n_heads = size("embedding_length"), size("attention.head_count")
    embedding = held.tensors.get("token_embd.weight")
    return ModelConfig(
        vocab_size=size("vocab_size", embedding.shape[0] if embedding is not None else None),
        d_model=d_model,
        n_layers=size("block_count"),
        n_heads=n_heads,
        n_kv_heads=size("attention.head_count_kv", n_heads),
        head_dim=size("attention.key_length", d_model // n_heads),
        d_ff=size("feed_forward_length"),
        max_seq_len=size("context_length"),
        rope_theta=size("rope.freq_base", 10000.0),
        norm_eps=size("attention.layer_norm_rms_epsilon"),
        tie_embeddings="output.weight" not in held.tensors,
        **_ARCHITECTURES[architecture],
    )


def _get(metadata: Mapping[str, Any], key: str, default: Any = None) -> Any:
    if (value := metadata.get(key, default)) is None:
        raise ValueError(f"metadata {key!r}: is missing")
    return value


def _tokenizer_metadata(
    tokenizer: BPETokenizer, vocab_size: int, bos_token: str | None, eos_token: str | None
) -> dict[str, Any]:
    pre = next((pre for ours, pre in _PRE_TOKENIZERS.items() if PATTERNS[ours] == tokenizer.pattern), None)
    if pre is None or tokenizer.whole_words or tokenizer.vocab_size > vocab_size:
        raise ValueError(
            f"pattern is {tokenizer.pattern[:30]!r}..., whole_words {tokenizer.whole_words} and vocab_size "
            f"{tokenizer.vocab_size}: a file can hold those of {', '.join(_PRE_TOKENIZERS)} without whole_words, of no "
            f"more ids than the model's {vocab_size}"
        )
    names = {i: token for token, i in tokenizer.special_tokens.items()}
    tokens = [f"[UNUSED{i}]" for i in range(vocab_size)]
    types = [_UNUSED] * vocab_size
    for i, token in tokenizer.vocab.items():
        tokens[i], types[i] = (names[i], _CONTROL) if i in names else (to_printable(token), _NORMAL)
    metadata = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": pre, "tokenizer.ggml.tokens": tokens}
    metadata["tokenizer.ggml.token_type"] = types
    if tokenizer.merges:
        merges = [f"{to_printable(left)} {to_printable(right)}" for left, right in tokenizer.merges]
        metadata["tokenizer.ggml.merges"] = merges
    for key, token in (("bos", bos_token), ("eos", eos_token)):
        if token is not None and token not in tokenizer.special_tokens:
            raise ValueError(f"{key}_token is {token!r}: the tokenizer's special tokens are {list(names.values())}")
        if token is not None:
            metadata[f"tokenizer.ggml.{key}_token_id"] = tokenizer.special_tokens[token]
    return metadata | {"tokenizer.ggml.add_bos_token": False}
