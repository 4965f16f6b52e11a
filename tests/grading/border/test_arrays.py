import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from llmcourse.grading.border.arrays import MISSING, decode_array, encode_array
from llmcourse.grading.border.limits import BorderError, Limits
from llmcourse.grading.border.values import Decoder, Encoder

DTYPES = (
    *(torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.uint8, torch.bool, torch.complex64, torch.complex128, torch.float8_e4m3fn),
)


class ArrayEncoder(Encoder):
    def other(self, value, depth):
        coded = encode_array(self, value)
        return super().other(value, depth) if coded is MISSING else coded


class ArrayDecoder(Decoder):
    def other(self, data, depth):
        return decode_array(self, data, depth)


def cross(value):
    encoder = ArrayEncoder(Limits())
    data = encoder.encode(value)
    return ArrayDecoder([bytearray(buffer) for buffer in encoder.buffers], Limits()).decode(data)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)], ids=str)
def test_tensors_of_every_dtype(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = (torch.rand(shape) * 3).to(dtype)
    arrived = cross(tensor)
    assert arrived.dtype == dtype and arrived.shape == tensor.shape
    raw = (
        [t.contiguous().reshape(-1).view(torch.uint8).tolist() for t in (tensor, arrived)] if tensor.numel() else [0, 0]
    )
    assert raw[0] == raw[1]


def test_views_cross_as_their_values() -> None:
    base = torch.arange(24.0).reshape(4, 6)
    for view in (
        base.T,
        base[::2, 1::2],
        base[1].expand(3, 6),
        torch.tensor(2.0).expand(1, 1),
        torch.conj(torch.tensor([1 + 2j])),
        base[2, 3],
    ):
        assert torch.equal(cross(view), view) and cross(view).is_contiguous()


@given(hnp.arrays(st.sampled_from(["<f4", ">f8", "<i8", "|b1", "<c8", "|u1", "<f2"]), hnp.array_shapes(min_side=0)))
def test_numpy_arrays(array: np.ndarray) -> None:
    arrived = cross(array)
    assert arrived.dtype == array.dtype and arrived.shape == array.shape and arrived.tobytes() == array.tobytes()
    arrived[...] = 0  # it is the judge's own, so it may be written


def test_what_goes_with_arrays() -> None:
    for value in (torch.float32, torch.device("cpu"), torch.Size([2, 3]), np.float32(2.5), np.int64(7), np.dtype("f4")):
        assert cross(value) == value and type(cross(value)) is type(value)
    values, indices = cross(torch.tensor([[1.0, 3.0]]).max(dim=1))
    assert values == 3 and indices == 1 and hasattr(cross(torch.ones(2, 2).max(dim=0)), "indices")
    assert cross(np.array(["a", "né"])).tolist() == ["a", "né"]
    generator = torch.Generator().manual_seed(5)
    assert torch.equal(torch.rand(3, generator=cross(generator)), torch.rand(3, generator=generator))


@pytest.mark.parametrize(
    "value",
    [torch.eye(3).to_sparse(), torch.empty(3, device="meta"), np.array([object()])],
    ids=["sparse", "meta", "object"],
)
def test_what_has_no_plain_values_is_refused(value) -> None:
    with pytest.raises(BorderError, match="cannot cross"):
        cross(value)


@pytest.mark.parametrize(
    "data",
    [
        ["T", "float32", [3], 0],
        ["T", "float32", [-2], 0],
        ["T", "float32", [2.0], 0],
        ["T", "float32", [True, 2], 0],
        ["T", "float32", "2", 0],
        ["T", "quint8", [2], 0],
        ["T", "nn", [2], 0],
        ["T", "float32", [1] * 60, 0],
        ["T", "float32", [1 << 60], 0],
        ["T", "float32", [2], 5],
        ["T", ["float32"], [2], 0],
        ["n", "O", [1], 0],
        ["n", "<f4,<i4", [1], 0],
        ["n", "f4" * 100, [1], 0],
        ["n", "U", [10**9], ["l", "x"]],
        ["g", "<f8", 9],
        ["D", "__class__"],
        ["V", "os.system"],
        ["rt", "__doc__", 1],
        ["G", "numpy", ["d", "dict", None, "bit_generator", "seed"]],
        ["G", "torch", 3],
        ["z", "a"],
    ],
    ids=str,
)
def test_lying_arrays_are_refused(data: list) -> None:
    with pytest.raises(BorderError):
        ArrayDecoder([bytearray(8)], Limits()).decode(data)


def test_a_boolean_that_is_neither() -> None:
    decoder = Decoder([bytearray([0, 1, 2, 255])], Limits())
    arrived = decode_array(decoder, ["T", "bool", [4], 0], 0)
    assert arrived.to(torch.uint8).tolist() == [0, 1, 1, 1]
