"""GGUF, the file of llama.cpp: metadata and tensors, read without copying and written whole or not at all."""

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.inference.gguf_blocks import GGUF_TYPES, dequantize_blocks, find_type, quantize_blocks
from llmcourse.inference.gguf_metadata import Cursor, encode_entry, read_entry

__all__ = ["GGUF", "GGUFTensor", "read_gguf", "write_gguf"]

_MAGIC, _VERSION, _ALIGNMENT, _MOST_DIMENSIONS, _LONGEST_NAME = b"GGUF", 3, 32, 4, 63
_ALIGNMENT_KEY = "general.alignment"


@dataclass(frozen=True, eq=False)
class GGUFTensor:
    r"""A tensor as it stands in a file.

    Attributes:
        type: A key of :data:`llmcourse.inference.GGUF_TYPES`.
        shape: As torch has it: the last dimension is contiguous. The file has it the other way round.
        data: Bytes, (*rows, bytes of a row).
    """

    type: str
    shape: tuple[int, ...]
    data: Tensor

    def dequantize(self) -> Float[Tensor, "*shape"]:
        """Return the numbers, in fp32."""
        return dequantize_blocks(self.data, self.type).clone()


@dataclass(frozen=True, eq=False)
class GGUF:
    r"""What a file holds.

    Attributes:
        metadata: Values by key: "general.architecture", "llama.block_count", "tokenizer.ggml.tokens".
        tensors: By name, in the order of the file.
    """

    metadata: dict[str, Any]
    tensors: dict[str, GGUFTensor]


def read_gguf(path: str | os.PathLike[str]) -> GGUF:
    r"""Open a file of version 2 or 3. Its tensors are mapped from the disc, and read when they are used.

    All that the file says of itself is checked first: lengths against what is left of it, types, places of tensors.

    Args:
        path: The file.

    Returns:
        Its metadata and tensors.

    Raises:
        ValueError: The file is no GGUF, is cut short, or contradicts itself; names the field.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     weight = torch.full((2, 64), 127.0)
        ...     write_gguf(Path(folder, "a.gguf"), {"w": weight}, {"general.name": "all"}, type="Q8_0")
        ...     held = read_gguf(Path(folder, "a.gguf"))
        ...     held.metadata, held.tensors["w"].type, held.tensors["w"].dequantize().sum().item()
        ({'general.name': 'all'}, 'Q8_0', 16256.0)
    """
    if Path(path).stat().st_size == 0:
        raise ValueError(f"{path}: magic: the file is empty")
    data = np.memmap(path, dtype=np.uint8, mode="c")  # what is written to a tensor does not reach the file
    try:
        return _parse(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_gguf(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor | GGUFTensor],
    metadata: Mapping[str, Any] | None = None,
    *,
    type: str = "F16",
    types: Mapping[str, str] | None = None,
) -> None:
    r"""Write a file of version 3, beside its place first, so that it is there whole or not at all.

    Args:
        path: Where; an older file is replaced.
        tensors: By name. Those that are in a file's form already are written as they are.
        metadata: See :func:`llmcourse.inference.gguf_metadata.encode_entry` for the types that values get.
        type: Of tensors with two dimensions or more; norms and biases, which have one, stay in F32 as llama.cpp has it.
        types: Of single tensors, by name, in place of that rule.

    Raises:
        ValueError: A name, shape or value has no place in such a file; nothing is written.
    """
    metadata, types = metadata or {}, types or {}
    alignment = _alignment(metadata)
    forms = {name: _form(name, tensor, types.get(name, type), name in types) for name, tensor in tensors.items()}
    unknown = sorted(set(types) - set(tensors))
    if unknown:
        raise ValueError(f"types names the tensors {unknown}, which are not given")
    header = _header(metadata, forms, alignment)
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            _write_aligned(file, header, alignment)
            for name, tensor in tensors.items():
                _write_aligned(file, _tensor_bytes(name, tensor, forms[name][0]), alignment)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _parse(data: np.ndarray) -> GGUF:
    cursor = Cursor(data.data)
    magic = bytes(cursor.take(4, "magic"))
    if magic != _MAGIC:
        raise ValueError(f"magic: is {magic!r}, and not {_MAGIC!r}: this is no GGUF file")
    version = cursor.number("I", "version")
    if version not in (2, 3):
        raise ValueError(f"version: is {version}, and 2 and 3 are known (a huge number: the file is big-endian)")
    n_tensors, n_entries = cursor.number("Q", "number of tensors"), cursor.number("Q", "number of metadata entries")
    metadata: dict[str, Any] = {}
    for place in range(n_entries):
        key, value = read_entry(cursor, place)
        if key in metadata:
            raise ValueError(f"metadata {key!r}: stands there twice")
        metadata[key] = value
    infos: dict[str, tuple[str, tuple[int, ...], int]] = {}
    for place in range(n_tensors):
        name, info = _read_info(cursor, place)
        if name in infos:
            raise ValueError(f"tensor {name!r}: stands there twice")
        infos[name] = info
    alignment = _alignment(metadata)
    start = cursor.position + -cursor.position % alignment
    return GGUF(metadata, {name: _read_tensor(data, start, alignment, name, *info) for name, info in infos.items()})


def _read_info(cursor: Cursor, place: int) -> tuple[str, tuple[str, tuple[int, ...], int]]:
    name = cursor.string(f"tensor {place}, name")
    field = f"tensor {name!r}"
    n_dimensions = cursor.number("I", f"{field}, number of dimensions")
    if not 1 <= n_dimensions <= _MOST_DIMENSIONS:
        raise ValueError(f"{field}, number of dimensions: is {n_dimensions}, and 1 to {_MOST_DIMENSIONS} are possible")
    shape = tuple(cursor.number("Q", f"{field}, dimension {i}") for i in range(n_dimensions))[::-1]
    number, offset = cursor.number("I", f"{field}, type"), cursor.number("Q", f"{field}, offset")
    names = {kind.number: type for type, kind in GGUF_TYPES.items()}
    if number not in names:
        raise ValueError(f"{field}, type: is {number}, and those known are {', '.join(names.values())}")
    return name, (names[number], shape, offset)


def _read_tensor(
    data: np.ndarray, start: int, alignment: int, name: str, type: str, shape: tuple[int, ...], offset: int
) -> GGUFTensor:
    kind, field = GGUF_TYPES[type], f"tensor {name!r}"
    if 0 in shape or shape[-1] % kind.block_size:
        raise ValueError(f"{field}, dimensions: are {shape}, and rows of {type} are blocks of {kind.block_size}")
    rows = (*shape[:-1], shape[-1] // kind.block_size * kind.block_bytes)
    first, last = start + offset, start + offset + math.prod(rows)
    if offset % alignment or last > len(data):
        raise ValueError(
            f"{field}, offset: is {offset}, of a multiple of {alignment}, and its {math.prod(rows)} bytes end at "
            f"{last} of {len(data)}: the file is cut short or damaged"
        )
    return GGUFTensor(type, shape, torch.from_numpy(data[first:last].reshape(rows)))


def _alignment(metadata: Mapping[str, Any]) -> int:
    alignment = metadata.get(_ALIGNMENT_KEY, _ALIGNMENT)
    if isinstance(alignment, bool) or not isinstance(alignment, int) or alignment < 8 or alignment % 8:
        raise ValueError(f"metadata {_ALIGNMENT_KEY!r}: is {alignment!r}, and not a multiple of 8")
    return alignment


def _form(name: str, tensor: Tensor | GGUFTensor, type: str, named: bool) -> tuple[str, tuple[int, ...]]:
    """Return the type and shape that a tensor is to have; refuse what has no place in a file."""
    if not 0 < len(name.encode()) <= _LONGEST_NAME:
        raise ValueError(f"tensor {name!r}: the name has {len(name.encode())} bytes: give 1 to {_LONGEST_NAME}")
    if isinstance(tensor, GGUFTensor):
        return tensor.type, tensor.shape
    type = type if named or tensor.ndim > 1 else "F32"
    shape, block_size = tuple(tensor.shape), find_type(type).block_size
    if not 1 <= len(shape) <= _MOST_DIMENSIONS or 0 in shape or shape[-1] % block_size:
        raise ValueError(
            f"tensor {name!r} has shape {shape}: give 1 to {_MOST_DIMENSIONS} dimensions, and for {type} rows of a "
            f"multiple of {block_size}, or another type for it: types={{{name!r}: 'F16'}}"
        )
    return type, shape


def _header(metadata: Mapping[str, Any], forms: Mapping[str, tuple[str, tuple[int, ...]]], alignment: int) -> bytes:
    header = _MAGIC + struct.pack("<IQQ", _VERSION, len(forms), len(metadata))
    header += b"".join(encode_entry(key, value) for key, value in metadata.items())
    offset = 0
    for name, (type, shape) in forms.items():
        kind, encoded = GGUF_TYPES[type], name.encode()
        header += struct.pack("<Q", len(encoded)) + encoded + struct.pack("<I", len(shape))
        header += struct.pack(f"<{len(shape)}QIQ", *reversed(shape), kind.number, offset)
        n_bytes = math.prod(shape) // kind.block_size * kind.block_bytes
        offset += n_bytes + -n_bytes % alignment
    return header


def _tensor_bytes(name: str, tensor: Tensor | GGUFTensor, type: str) -> memoryview:
    try:
        data = tensor.data if isinstance(tensor, GGUFTensor) else quantize_blocks(tensor.detach(), type)
    except ValueError as error:
        raise ValueError(f"tensor {name!r}: {error}") from error
    return data.contiguous().cpu().numpy().data.cast("B")


def _write_aligned(file: BinaryIO, content: bytes | memoryview, alignment: int) -> None:
    file.write(content)
    file.write(bytes(-len(content) % alignment))
