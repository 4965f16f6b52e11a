"""Real checkpoints: reading and writing a Transformer in the format of Hugging Face."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from llmcourse.architecture.checkpoint_families import Family, family_for, family_named
from llmcourse.architecture.rope import convert_pairing
from llmcourse.architecture.safetensors_folder import SafetensorsFolder, dtype_name, read_json, write_folder
from llmcourse.architecture.transformer import Transformer

__all__ = ["load_huggingface", "save_huggingface"]


def load_huggingface(
    path_or_model: str | os.PathLike[str] | nn.Module,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
) -> Transformer:
    r"""Load a checkpoint of Llama 2 or 3, Mistral, Qwen2, Qwen2.5 or Qwen3, or of a family registered since.

    Everything is checked before the first number is read, so that nothing is loaded half.

    Args:
        path_or_model: A folder with config.json and safetensors, or a model of transformers, whose numbers are copied.
        dtype: Of the parameters; None keeps that of the checkpoint.
        device: Where the model is to be.

    Returns:
        A model in evaluation mode.

    Raises:
        ValueError: config.json has a key or a value that is not supported, or a tensor is missing, is one too many, or
            has another shape than it should; names it.
    """
    if isinstance(path_or_model, nn.Module):
        given, tensors = path_or_model.config.to_dict(), _StateDict(path_or_model)  # pyright: ignore
    else:
        folder = Path(path_or_model)
        if not folder.is_dir():
            raise ValueError(f"{folder} is no folder: download the checkpoint first, with `hf download NAME`, say")
        given, tensors = read_json(folder / "config.json"), SafetensorsFolder(folder)
    family = family_named(given.get("model_type"))
    config = family.read(given)
    with torch.device("meta"):
        model = Transformer(config)
    sources = _match(model, family, tensors.shapes)
    state = {ours: _read(tensors, theirs, dtype, device) for ours, theirs in sources.items()}
    if config.tie_embeddings:
        state["output.weight"] = state["embedding.weight"]
    model.load_state_dict(state, assign=True)
    if config.tie_embeddings:
        model.output.weight = model.embedding.weight
    return model.to(device).requires_grad_().eval()


class _StateDict:
    """The tensors of a model in memory, as a folder's are given."""

    def __init__(self, model: nn.Module) -> None:
        self._tensors = model.state_dict()
        self.shapes = {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name].detach().clone()


def _match(
    model: Transformer, family: Family, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, str | tuple[str, ...]]:
    """Return their name of each of our tensors, or their names; refuse what does not match exactly."""
    sources: dict[str, str | tuple[str, ...]] = {}
    ignored = {"lm_head.weight"} if model.config.tie_embeddings else set()
    for ours, tensor in model.state_dict().items():
        if ours == "output.weight" and model.config.tie_embeddings:
            continue
        sources[ours] = theirs = family.tensor_name(ours)
        names = (theirs,) if isinstance(theirs, str) else theirs
        wanted = tuple(tensor.shape) if isinstance(theirs, str) else tuple(tensor.shape[1:])
        for name in names:
            if name not in shapes:
                raise ValueError(f"the checkpoint lacks tensor {name!r}, which should have shape {wanted}")
            if shapes[name] != wanted:
                raise ValueError(f"tensor {name!r} has shape {shapes[name]}, and config.json asks for {wanted}")
        ignored.update(names)
    # Old Llama checkpoints hold RoPE's frequencies, which follow from config.json.
    extra = [name for name in shapes if name not in ignored and not name.endswith("rotary_emb.inv_freq")]
    if extra:
        raise ValueError(f"the checkpoint has tensor {extra[0]!r} of shape {shapes[extra[0]]}, which has no place here")
    return sources


def _read(
    tensors: SafetensorsFolder | _StateDict,
    names: str | tuple[str, ...],
    dtype: torch.dtype | None,
    device: torch.device | str,
) -> Tensor:
    tensor = tensors[names] if isinstance(names, str) else torch.stack([tensors[name] for name in names])
    if not tensor.is_floating_point():
        raise ValueError(f"tensor {names!r} has dtype {tensor.dtype}: only unquantized checkpoints can be loaded")
    return tensor.to(device=device, dtype=dtype)


def save_huggingface(
    model: Transformer,
    path: str | os.PathLike[str],
    *,
    max_shard_bytes: int = 5 * 10**9,
    overwrite: bool = False,
) -> None:
    r"""Save a model so that transformers, and whatever else reads its format, can load it.

    The folder appears whole or not at all. Queries and keys that are rotated in interleaved pairs are reordered for
    Hugging Face's pairing; loaded again, the model computes the same.

    Args:
        model: Any Transformer that one of the families can describe.
        path: The folder.
        max_shard_bytes: Write several files where one would be larger.
        overwrite: Replace a checkpoint that is there; other files in the folder stay.

    Raises:
        ValueError: No family can hold the model's configuration, its tensors are not its own (LoRA layers, quantized
            ones), or the folder is not empty.
    """
    if max_shard_bytes < 1:
        raise ValueError(f"max_shard_bytes is {max_shard_bytes}: give a size in bytes of at least 1")
    family = family_for(model.config)
    state = _state_to_save(model)
    dtype = dtype_name(model.embedding.weight.dtype)
    config: dict[str, Any] = {
        "architectures": [family.architecture],
        "model_type": family.model_type,
        **family.write(model.config),
        "dtype": dtype,
        "torch_dtype": dtype,  # what versions of transformers before 5 read
    }
    tensors: dict[str, Tensor] = {}
    for ours, tensor in state.items():
        names = family.tensor_name(ours)
        parts = {names: tensor} if isinstance(names, str) else dict(zip(names, tensor.unbind(), strict=True))
        tensors |= {name: part.detach().cpu().contiguous() for name, part in parts.items()}
    write_folder(Path(path), config, tensors, max_shard_bytes=max_shard_bytes, overwrite=overwrite)


def _state_to_save(model: Transformer) -> dict[str, Tensor]:
    """Return the tensors of a model under our names, tied ones once, with "half" pairing."""
    config, state = model.config, model.state_dict()
    with torch.device("meta"):
        expected = Transformer(config).state_dict()
    for name in sorted(set(state) ^ set(expected)):
        raise ValueError(f"tensor {name!r} is {'one too many' if name in state else 'missing'}: call remove_lora first")
    if config.tie_embeddings:
        del state["output.weight"]
    if config.rope_pairing == "interleaved" and config.position_embedding == "rope":
        for name, tensor in state.items():
            if name.split(".")[-2] in ("q", "k", "q_norm", "k_norm"):
                state[name] = convert_pairing(tensor, config.head_dim, to="half")
    return state
