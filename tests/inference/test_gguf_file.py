"""Files that the ``gguf`` package opens, and files of its own; whatever is damaged is refused by the field's name."""

import struct

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.inference import read_gguf, write_gguf

METADATA = {
    "general.architecture": "llama",
    "general.name": "Zoë’s model",
    "llama.block_count": 2,
    "llama.rope.freq_base": 10000.0,
    "a.negative": -5,
    "a.large": 2**40,
    "a.flag": True,
    "tokenizer.ggml.tokens": ["<s>", "▁the", ""],
    "tokenizer.ggml.scores": [0.0, -1.5, -2.0],
    "tokenizer.ggml.token_type": [3, 1, 1],
    "a.flags": [True, False],
    "a.large_numbers": [1, 2**40],
    "a.small": np.uint8(200),
    "a.double": np.float64(0.1),
    "a.words": np.array([1, 2, 3], dtype=np.uint16),
}


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tensors():
    return {"blk.0.attn_q.weight": draw(6, 256), "output_norm.weight": draw(256), "token_embd.weight": draw(5, 512)}


def plain(value):
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.gguf"


@pytest.mark.parametrize("type", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K"])
def test_what_is_written_is_read(path, type):
    write_gguf(path, tensors(), METADATA, type=type)
    held = read_gguf(path)
    assert list(held.metadata) == list(METADATA)
    for key, value in METADATA.items():
        assert held.metadata[key] == plain(value), key
    assert list(held.tensors) == list(tensors())
    for name, tensor in tensors().items():
        found = held.tensors[name]
        assert found.shape == tuple(tensor.shape) and found.type == ("F32" if tensor.ndim == 1 else type)
        error = (found.dequantize() - tensor).norm() / tensor.norm()
        assert error <= {"F32": 0, "F16": 1e-3, "Q8_0": 0.01}.get(found.type, 0.1)


@pytest.mark.parametrize("type", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K"])
def test_the_package_opens_our_files(path, type):
    write_gguf(path, tensors(), METADATA, type=type)
    reader = gguf.GGUFReader(path)
    for key, value in METADATA.items():
        assert reader.get_field(key).contents() == plain(value), key
    types = {key: reader.get_field(key).types[-1] for key in METADATA}
    assert types["llama.block_count"] == gguf.GGUFValueType.UINT32
    assert types["llama.rope.freq_base"] == gguf.GGUFValueType.FLOAT32
    assert types["tokenizer.ggml.token_type"] == gguf.GGUFValueType.INT32
    assert types["a.small"] == gguf.GGUFValueType.UINT8 and types["a.double"] == gguf.GGUFValueType.FLOAT64
    ours = read_gguf(path).tensors
    assert [tensor.name for tensor in reader.tensors] == list(ours)
    for tensor in reader.tensors:
        assert tensor.tensor_type.name == ours[tensor.name].type
        assert tuple(tensor.shape[::-1]) == ours[tensor.name].shape
        np.testing.assert_array_equal(
            gguf.dequantize(tensor.data, tensor.tensor_type), ours[tensor.name].dequantize().numpy()
        )


def test_a_file_of_the_package_is_read_and_ours_has_its_bytes(path, tmp_path):
    theirs = tmp_path / "theirs.gguf"
    writer = gguf.GGUFWriter(theirs, "llama")
    writer.add_block_count(2)
    writer.add_token_list(["a", "b"])
    writer.add_token_scores([0.5, -1.0])
    writer.add_rope_freq_base(5e5)
    for name, tensor in tensors().items():
        type = gguf.GGMLQuantizationType.Q8_0 if tensor.ndim > 1 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quantize(tensor.numpy(), type), raw_dtype=type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    held = read_gguf(theirs)
    assert held.metadata == {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "tokenizer.ggml.tokens": ["a", "b"],
        "tokenizer.ggml.scores": [0.5, -1.0],
        "llama.rope.freq_base": 5e5,
    }
    write_gguf(path, tensors(), held.metadata, type="Q8_0")
    assert path.read_bytes() == theirs.read_bytes()
    write_gguf(path, held.tensors, held.metadata)
    assert path.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("alignment", [8, 32, 64, 4096])
def test_tensors_begin_where_they_are_aligned(path, alignment):
    write_gguf(path, tensors(), {"general.alignment": alignment}, types={"blk.0.attn_q.weight": "Q4_0"})
    reader = gguf.GGUFReader(path)
    assert all(tensor.data_offset % alignment == 0 for tensor in reader.tensors)
    assert reader.tensors[0].tensor_type.name == "Q4_0" and reader.tensors[2].tensor_type.name == "F16"
    torch.testing.assert_close(
        read_gguf(path).tensors["output_norm.weight"].dequantize(), tensors()["output_norm.weight"]
    )


def test_a_tensor_is_changed_in_memory_alone(path):
    write_gguf(path, tensors(), type="F32")
    before = path.read_bytes()
    held = read_gguf(path)
    held.tensors["output_norm.weight"].data.zero_()
    assert path.read_bytes() == before


def small_file(path):
    write_gguf(
        path,
        {"w": draw(2, 32), "b": draw(3)},
        {"general.architecture": "llama", "x.list": ["ab", "c"], "x.numbers": [1, 2, 3], "x.flag": True},
        type="Q8_0",
    )
    return path.read_bytes()


def test_a_file_cut_short_anywhere_is_refused_by_name(path):
    whole = small_file(path)
    fields = set()
    for length in range(len(whole) - 20):  # the last 20 bytes are padding
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"model\.gguf: \w") as caught:
            read_gguf(path)
        fields.add(str(caught.value).split("gguf: ")[1].split(":")[0])
    assert fields == {
        *("magic", "version", "number of tensors", "number of metadata entries"),
        *("metadata 0, key", "metadata 0, key, length", "metadata 1, key", "metadata 1, key, length"),
        *("metadata 2, key", "metadata 2, key, length", "metadata 3, key", "metadata 3, key, length"),
        *("metadata 'general.architecture'", "metadata 'general.architecture', length"),
        *("metadata 'general.architecture', type", "metadata 'x.flag'", "metadata 'x.flag', type"),
        *("metadata 'x.list', type", "metadata 'x.list', length", "metadata 'x.list', type of elements"),
        *("metadata 'x.list'[0]", "metadata 'x.list'[0], length", "metadata 'x.list'[1]"),
        *("metadata 'x.list'[1], length", "metadata 'x.numbers'", "metadata 'x.numbers', length"),
        *("metadata 'x.numbers', type", "metadata 'x.numbers', type of elements"),
        *("tensor 0, name", "tensor 0, name, length", "tensor 1, name", "tensor 1, name, length"),
        *("tensor 'w', number of dimensions", "tensor 'w', dimension 0", "tensor 'w', dimension 1"),
        *("tensor 'w', type", "tensor 'w', offset", "tensor 'b', number of dimensions", "tensor 'b', dimension 0"),
        *("tensor 'b', type", "tensor 'b', offset"),
    }


@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "model.gguf"
    content = bytearray(small_file(path))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            content[place : place + 8] = struct.pack("<Q", data.draw(st.integers(0, 2**64 - 1)))
    path.write_bytes(content)
    try:
        held = read_gguf(path)
    except ValueError as error:
        assert "model.gguf: " in str(error)
        return
    for tensor in held.tensors.values():
        assert tensor.dequantize().shape == tensor.shape


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.replace(b"GGUF", b"GGML", 1), r"magic: is b'GGML', and not b'GGUF'"),
        (lambda c: c[:4] + struct.pack("<I", 1) + c[8:], "version: is 1, and 2 and 3 are known"),
        (lambda c: c[:4] + struct.pack(">I", 3) + c[8:], "version: is 50331648, .* big-endian"),
        (lambda c: c.replace(b"x.flag", b"x.list"), "metadata 'x.list': stands there twice"),
        (lambda c: c.replace(b"ab", b"\xff\xfe"), r"metadata 'x.list'\[0\]: is not UTF-8"),
        (
            lambda c: c.replace(b"x.flag" + struct.pack("<IB", 7, 1), b"x.flag" + struct.pack("<IB", 7, 2)),
            "'x.flag': a",
        ),
        (
            lambda c: c.replace(b"x.flag" + struct.pack("<I", 7), b"x.flag" + struct.pack("<I", 13)),
            "there is no type 13",
        ),
        (
            lambda c: c.replace(struct.pack("<IQ", 8, 2), struct.pack("<IQ", 8, 2**60)),
            rf"metadata 'x.list', length: {2**60} elements",
        ),
        (
            lambda c: c.replace(struct.pack("<IQ", 5, 3), struct.pack("<IQ", 5, 2**61)),
            rf"metadata 'x.numbers': {2**63} bytes are to follow",
        ),
        (
            lambda c: c.replace(b"w" + struct.pack("<I", 2), b"b" + struct.pack("<I", 2)),
            "tensor 'b': stands there twice",
        ),
        (
            lambda c: c.replace(b"w" + struct.pack("<I", 2), b"w" + struct.pack("<I", 5)),
            "'w', number of dimensions: is 5",
        ),
        (lambda c: c.replace(struct.pack("<QQ", 32, 2), struct.pack("<QQ", 33, 2)), r"'w', dimensions: are \(2, 33\)"),
        (lambda c: c.replace(struct.pack("<QQ", 32, 2), struct.pack("<QQ", 32, 2**62)), "tensor 'w', offset: is 0, "),
        (lambda c: c.replace(struct.pack("<QQI", 32, 2, 8), struct.pack("<QQI", 32, 2, 14)), "tensor 'w', type: is 14"),
        (
            lambda c: c.replace(struct.pack("<QIQ", 3, 0, 96), struct.pack("<QIQ", 3, 0, 95)),
            "'b', offset: is 95, of a mul",
        ),
        (lambda c: c[:-40], "tensor 'b', offset: is 96, .* the file is cut short or damaged"),
        (lambda c: b"", "magic: the file is empty"),
    ],
)
def test_each_fault_is_named(path, change, message):
    before = small_file(path)
    after = change(before)
    assert after != before
    path.write_bytes(after)
    with pytest.raises(ValueError, match=message):
        read_gguf(path)


def test_arrays_in_arrays_end_somewhere(path):
    array = struct.pack("<IQ", 9, 1)
    key = struct.pack("<Q", 1) + b"k"
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<I", 9)
    path.write_bytes(header + struct.pack("<IQ", 9, 1) + struct.pack("<IQ", 5, 2) + struct.pack("<ii", 7, 8))
    assert read_gguf(path).metadata == {"k": [[7, 8]]}
    path.write_bytes(header + array * 100_000)
    with pytest.raises(ValueError, match="there is no type 9 this deep in arrays"):
        read_gguf(path)


@pytest.mark.parametrize(
    ("tensors", "metadata", "message"),
    [
        (
            {"w": torch.ones(2, 33)},
            {},
            r"tensor 'w' has shape \(2, 33\): .* rows of a multiple of 32.*types=\{'w': 'F16'\}",
        ),
        ({"w": torch.ones(2, 0)}, {}, r"tensor 'w' has shape \(2, 0\)"),
        ({"w": torch.ones(())}, {}, r"tensor 'w' has shape \(\)"),
        ({"w" * 64: torch.ones(2)}, {}, "the name has 64 bytes: give 1 to 63"),
        ({"w": torch.full((1, 32), float("nan"))}, {}, "tensor 'w': x holds 32 numbers that are infinite or NaN"),
        ({}, {"": 1}, "metadata key '' has 0 bytes"),
        ({}, {"k": None}, "metadata 'k': cannot be stored as NoneType"),
        ({}, {"k": []}, "metadata 'k': an array without elements"),
        ({}, {"k": [1, 0.5]}, "metadata 'k': cannot be stored as float, int"),
        ({}, {"k": 2**64}, "metadata 'k': .* do not fit into 64 bits"),
        ({}, {"k": np.ones((2, 2))}, r"metadata 'k': an array of shape \(2, 2\)"),
        ({}, {"k": np.complex64(1)}, "metadata 'k': numpy's complex64 has no type"),
        ({}, {"general.alignment": 12}, "metadata 'general.alignment': is 12"),
    ],
)
def test_what_has_no_place_in_a_file_is_refused_and_nothing_written(path, tensors, metadata, message):
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match=message):
        write_gguf(path, tensors, metadata, type="Q8_0")
    assert [file.name for file in path.parent.iterdir()] == ["model.gguf"] and path.read_bytes() == b"before"


def test_types_of_tensors_that_are_not_there_are_refused(path):
    with pytest.raises(ValueError, match=r"types names the tensors \['v'\], which are not given"):
        write_gguf(path, {"w": torch.ones(2, 32)}, types={"v": "F16"})
    with pytest.raises(ValueError, match="type is 'Q3_K': choose one of F32"):
        write_gguf(path, {"w": torch.ones(2, 32)}, type="Q3_K")
