"""numpy arrays and scalars, torch tensors, and what goes with them, as JSON and buffers.

A tensor crosses as its values: a view arrives contiguous, a tensor on a GPU arrives on the CPU. numpy and torch are
looked for only when they are loaded, so that neither side imports them for the border's sake.
"""

import math
import random
import re
import sys
from typing import Any

from llmcourse.grading.border.limits import BorderError
from llmcourse.grading.border.values import Decoder, Encoder

__all__ = ["MISSING", "decode_array", "encode_array", "generator_state", "read_tensor", "set_state", "write_tensor"]

MISSING: Any = object()
_NUMPY_DTYPE = re.compile(r"[<>|=]?[biufc]\d{1,2}")
_DEVICE = re.compile(r"(cpu|cuda|mps|meta)(:\d{1,2})?")
_TORCH_DTYPES = {
    *("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16"),
    *("float32", "float64", "complex32", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
}
_MAX_DIMENSIONS = 32


def encode_array(encoder: Encoder, value: Any) -> Any:
    """Return the JSON of a value of numpy's, torch's or of a random generator, or MISSING where it is none."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None:
        if isinstance(value, torch.Tensor):
            encoder.remember(value)
            return ["T", *write_tensor(encoder, value)]
        if isinstance(value, torch.Size):
            return ["z", *value]
        if isinstance(value, torch.dtype):
            return ["D", str(value).removeprefix("torch.")]
        if isinstance(value, torch.device):
            return ["V", str(value)]
        if type(value).__module__ == "torch.return_types":
            return ["rt", type(value).__name__, *[encoder.encode(part, 1) for part in value]]
    if numpy is not None:
        if isinstance(value, numpy.ndarray):
            encoder.remember(value)
            return ["n", *_write_ndarray(encoder, numpy, value)]
        if isinstance(value, numpy.generic) and value.dtype.kind in "biufc":
            return ["g", value.dtype.str, encoder.buffer(value.tobytes())]
        if isinstance(value, numpy.dtype) and value.kind in "biufc":
            return ["numpy dtype", value.str]
    state = generator_state(value)
    if state is not None:
        encoder.remember(value)
        return ["G", *_write_state(encoder, state)]
    return MISSING


def decode_array(decoder: Decoder, data: list[Any], depth: int) -> Any:
    """Return the value of one of :func:`encode_array`'s tags, or MISSING."""
    tag = data[0]
    if tag == "T":
        return decoder.remember(read_tensor(decoder, data[1:]))
    if tag == "n":
        return decoder.remember(_read_ndarray(decoder, data[1:]))
    if tag == "G":
        position = len(decoder.memo)
        decoder.remember(None)  # it is numbered before its state, as when it was written
        decoder.memo[position] = _read_generator(decoder, data[1:], depth)
        return decoder.memo[position]
    if tag == "g":
        return _read_ndarray(decoder, [data[1], [], data[2]])[()]
    if tag not in ("z", "D", "V", "rt", "numpy dtype"):
        return MISSING
    if tag == "numpy dtype":
        return _numpy_dtype(decoder, data[1])
    import torch

    if tag == "z":
        return torch.Size(data[1:])
    if tag == "D":
        return _torch_dtype(decoder, data[1])
    if tag == "V":
        if not _DEVICE.fullmatch(data[1]):
            raise decoder.malformed()
        return torch.device(data[1])
    if not re.fullmatch(r"[a-z_]{1,40}", data[1]):
        raise decoder.malformed()
    return getattr(torch.return_types, data[1])(list(decoder.items(data[2:], depth)))


def write_tensor(encoder: Encoder, tensor: Any) -> list[Any]:
    """Return dtype, shape and buffer of a tensor's values."""
    import torch

    name = str(tensor.dtype).removeprefix("torch.")
    if tensor.layout is not torch.strided or tensor.is_meta or name not in _TORCH_DTYPES:
        raise BorderError(f"a tensor without plain values ({tensor.layout}, {name}, {tensor.device}) cannot cross")
    try:
        plain = tensor.detach().as_subclass(torch.Tensor).cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        if len(plain) == 1:  # one number that was expanded counts as contiguous, though its stride is 0
            plain = plain.clone(memory_format=torch.contiguous_format)
        raw = plain.view(torch.uint8).numpy() if len(plain) else b""
    except RuntimeError as error:
        raise BorderError(
            "a tensor inside torch.func, vmap or torch.compile has no values of its own and cannot cross"
        ) from error
    return [name, list(tensor.shape), encoder.buffer(memoryview(raw))]


def read_tensor(decoder: Decoder, data: list[Any]) -> Any:
    """Return the tensor of dtype, shape and buffer; a lie about the shape is a BorderError."""
    import torch

    dtype = _torch_dtype(decoder, data[0])
    raw = _checked(decoder, data[1], dtype.itemsize, data[2])
    if not raw:
        return torch.empty(data[1], dtype=dtype)
    if dtype == torch.bool:  # a byte other than 0 and 1 is no boolean, and torch would trust it
        return torch.frombuffer(raw, dtype=torch.uint8).ne(0).reshape(data[1])
    return torch.frombuffer(raw, dtype=torch.uint8).view(dtype).reshape(data[1])


def _checked(decoder: Decoder, shape: Any, itemsize: int, index: Any) -> bytearray:
    sizes_are_whole = type(shape) is list and all(type(size) is int and 0 <= size < 1 << 48 for size in shape)
    if not sizes_are_whole or len(shape) > _MAX_DIMENSIONS:
        raise decoder.malformed()
    raw = decoder.take(index)
    if math.prod(shape) * itemsize != len(raw):
        raise BorderError(f"your code's process sent an array of shape {tuple(shape)} with {len(raw):,} bytes")
    return raw


def _torch_dtype(decoder: Decoder, name: Any) -> Any:
    import torch

    if name not in _TORCH_DTYPES or not hasattr(torch, name):
        raise decoder.malformed()
    return getattr(torch, name)


def _numpy_dtype(decoder: Decoder, name: Any) -> Any:
    import numpy as np

    if type(name) is not str or not _NUMPY_DTYPE.fullmatch(name):
        raise decoder.malformed()
    return np.dtype(name)


def _write_ndarray(encoder: Encoder, numpy: Any, value: Any) -> list[Any]:
    plain = numpy.asarray(value)
    if plain.dtype.kind == "U":
        return ["U", list(plain.shape), [encoder.encode(text, 1) for text in plain.ravel().tolist()]]
    if plain.dtype.kind not in "biufc":
        raise BorderError(f"a numpy array of dtype {plain.dtype} cannot cross; numbers, booleans and text can")
    return [plain.dtype.str, list(plain.shape), encoder.buffer(plain.tobytes())]


def _read_ndarray(decoder: Decoder, data: list[Any]) -> Any:
    import numpy as np

    if data[0] == "U":
        texts = list(decoder.items(data[2], 1))
        # One long text would make every cell of the array as long.
        if set(map(type, texts)) - {str} or len(texts) * max(map(len, texts), default=0) > decoder.limits.elements:
            raise decoder.malformed()
        return np.array(texts, dtype=np.str_).reshape(data[1])
    dtype = _numpy_dtype(decoder, data[0])
    raw = _checked(decoder, data[1], dtype.itemsize, data[2])
    if dtype.kind == "b":
        return (np.frombuffer(raw, np.uint8) != 0).reshape(data[1])
    return np.frombuffer(raw, dtype).reshape(data[1])


def generator_state(value: Any) -> Any:
    """Return the state of a random generator of torch, numpy or the standard library, or None for other values."""
    if type(value) is random.Random:
        return ("random", value.getstate())
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Generator):
        return ("torch", value.get_state())
    if numpy is not None and isinstance(value, numpy.random.Generator):
        return ("numpy", value.bit_generator.state)
    if numpy is not None and isinstance(value, numpy.random.RandomState):
        return ("legacy", value.get_state(legacy=False))
    return None


def _write_state(encoder: Encoder, state: Any) -> list[Any]:
    kind, content = state
    return [kind, encoder.encode(content, 1)]


def _read_generator(decoder: Decoder, data: list[Any], depth: int) -> Any:
    state = decoder.decode(data[1], depth + 1)
    if data[0] == "random":
        value: Any = random.Random()
    elif data[0] == "torch":
        import torch

        value = torch.Generator()
    else:
        import numpy as np

        legacy = data[0] == "legacy"
        names = ("PCG64", "MT19937", "Philox", "SFC64", "PCG64DXSM")
        if state["bit_generator"] not in names:
            raise decoder.malformed()
        value = np.random.RandomState() if legacy else np.random.Generator(getattr(np.random, state["bit_generator"])())
    set_state(value, state)
    return value


def set_state(value: Any, state: Any) -> None:
    """Put a random generator into a state."""
    if type(value) is random.Random:
        value.setstate(state)
    elif hasattr(value, "bit_generator"):
        value.bit_generator.state = state
    else:
        value.set_state(state)
