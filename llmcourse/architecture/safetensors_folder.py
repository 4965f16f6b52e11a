"""A folder of safetensors files, one or several with an index, read and written whole or not at all."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

__all__ = ["SafetensorsFolder", "read_json", "write_folder"]

_SINGLE, _INDEX, _CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"


class SafetensorsFolder:
    r"""The tensors of a checkpoint by name: their shapes at once, each one's numbers when they are asked for.

    Args:
        folder: Holds ``model.safetensors``, or several files and ``model.safetensors.index.json``.

    Attributes:
        shapes: The shape of every tensor.

    Raises:
        ValueError: A file is missing, cannot be read, or lacks a tensor that the index promises.
    """

    def __init__(self, folder: Path) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._files: dict[str, Path] = {}
        promised: dict[str, list[str]] = {}
        for name, file in _weight_map(folder).items():
            promised.setdefault(file, []).append(name)
        for file in sorted(promised) or [_SINGLE]:
            with _open(folder / file) as tensors:
                held = set(tensors.keys())
                for name in promised.get(file, sorted(held)):
                    if name not in held:
                        raise ValueError(f"{folder / file} lacks tensor {name!r}, which {_INDEX} says it holds")
                    self.shapes[name] = tuple(tensors.get_slice(name).get_shape())
                    self._files[name] = folder / file

    def __getitem__(self, name: str) -> Tensor:
        with _open(self._files[name]) as tensors:
            return tensors.get_tensor(name)


def _weight_map(folder: Path) -> dict[str, str]:
    """Return the file of each tensor; nothing where one file holds all."""
    if not (folder / _INDEX).is_file():
        if not (folder / _SINGLE).is_file():
            held = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
            raise ValueError(f"{folder} holds neither {_SINGLE} nor {_INDEX}: it holds {held}")
        return {}
    weight_map = read_json(folder / _INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ValueError(f"{folder / _INDEX} has no weight_map")
    for file in weight_map.values():
        if not isinstance(file, str) or Path(file).name != file:
            raise ValueError(f"{folder / _INDEX} names the file {file!r}, which is not in the folder")
    return weight_map


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise ValueError(f"{path} is missing: the checkpoint is not complete")
    try:
        with safe_open(path, framework="pt") as tensors:
            yield tensors
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be read as safetensors, and may be cut short: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    r"""Read a JSON object.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        ValueError: The file is missing, or holds no JSON object.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not an object")
    return content


def write_folder(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, max_shard_bytes: int, overwrite: bool
) -> None:
    r"""Write a checkpoint beside its place and then move it there, so that it is there whole or not at all.

    Args:
        folder: Where; its parent is made if need be.
        config: What config.json is to say.
        tensors: All of them, by the names they have in the files.
        max_shard_bytes: Several files are written when one would be larger.
        overwrite: Replace a checkpoint that is there; other files of that folder, a tokenizer's, stay.

    Raises:
        ValueError: The folder is not empty, and ``overwrite`` is off.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not overwrite:
        raise ValueError(f"{folder} is there and not empty: choose another folder, or pass overwrite=True")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    beside.mkdir()
    try:
        _write_tensors(beside, tensors, max_shard_bytes)
        (beside / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        _move_into_place(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_tensors(folder: Path, tensors: Mapping[str, Tensor], max_shard_bytes: int) -> None:
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        if shards[-1] and size + tensor.nbytes > max_shard_bytes:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    if len(shards) == 1:
        save_file(shards[0], folder / _SINGLE, metadata={"format": "pt"})
        return
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(shard, file)
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / _INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _move_into_place(new: Path, folder: Path) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        os.replace(new, folder)  # noqa: PTH105 - takes an empty folder's place, too
        return
    for kept in folder.iterdir():
        if kept.name not in (_CONFIG, _INDEX) and kept.suffix != ".safetensors":
            (shutil.copytree if kept.is_dir() else shutil.copy2)(kept, new / kept.name)
    old = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def dtype_name(dtype: torch.dtype) -> str:
    """Return what config.json calls a dtype: "bfloat16" for torch.bfloat16."""
    return str(dtype).removeprefix("torch.")
