import json

import pytest
import torch

from llmcourse.architecture import safetensors_folder
from llmcourse.architecture.safetensors_folder import SafetensorsFolder, read_json, write_folder

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4), "c": torch.zeros(1, 2)}


def write(folder, tensors=TENSORS, max_shard_bytes=10**6, overwrite=False):
    write_folder(folder, {"x": 1}, tensors, max_shard_bytes=max_shard_bytes, overwrite=overwrite)


@pytest.mark.parametrize("max_shard_bytes", [1, 24, 10**6])
def test_what_is_written_is_read(tmp_path, max_shard_bytes):
    write(tmp_path / "deep" / "x", max_shard_bytes=max_shard_bytes)
    read = SafetensorsFolder(tmp_path / "deep" / "x")
    assert read.shapes == {"a": (2, 3), "b": (4,), "c": (1, 2)}
    assert all(torch.equal(read[name], tensor) for name, tensor in TENSORS.items())
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["x"]


def test_an_existing_folder_is_replaced_when_asked_and_other_files_stay(tmp_path):
    folder = tmp_path / "x"
    write(folder, max_shard_bytes=1)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "more").mkdir()
    with pytest.raises(ValueError, match="overwrite=True"):
        write(folder)
    write(folder, {"a": torch.ones(1)}, overwrite=True)
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors", "more", "tokenizer.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def failing_at_the_second():
    calls = []

    def fail(tensors, path, **options):
        calls.append(path)
        if len(calls) == 2:
            raise OSError("the disk is full")
        path.write_bytes(b"")

    return fail


def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    folder = tmp_path / "x"
    write(folder)
    monkeypatch.setattr(safetensors_folder, "save_file", failing_at_the_second())
    with pytest.raises(OSError, match="full"):
        write(folder, {"a": torch.ones(1), "b": torch.ones(1)}, max_shard_bytes=1, overwrite=True)
    assert torch.equal(SafetensorsFolder(folder)["a"], TENSORS["a"])
    monkeypatch.setattr(safetensors_folder, "save_file", failing_at_the_second())
    with pytest.raises(OSError, match="full"):
        write(tmp_path / "y", {"a": torch.ones(1), "b": torch.ones(1)}, max_shard_bytes=1)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_incomplete_folders_are_refused(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"holds neither model.safetensors nor .*: it holds pytorch_model.bin"):
        SafetensorsFolder(folder)
    write(folder, max_shard_bytes=1, overwrite=True)
    shard = folder / "model-00002-of-00003.safetensors"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-3])
    with pytest.raises(ValueError, match=r"model-00002-of-00003\.safetensors cannot be read"):
        SafetensorsFolder(folder)
    shard.unlink()
    with pytest.raises(ValueError, match=r"model-00002-of-00003\.safetensors is missing"):
        SafetensorsFolder(folder)


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({}, "has no weight_map"),
        ({"a": "../model.safetensors"}, "which is not in the folder"),
        ({"z": "model-00001-of-00003.safetensors"}, "lacks tensor 'z'"),
    ],
)
def test_an_index_that_is_wrong_is_refused(tmp_path, weight_map, message):
    write(tmp_path / "x", max_shard_bytes=1)
    (tmp_path / "x" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ValueError, match=message):
        SafetensorsFolder(tmp_path / "x")


def test_json(tmp_path):
    path = tmp_path / "config.json"
    with pytest.raises(ValueError, match="is missing"):
        read_json(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        read_json(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="holds a list"):
        read_json(path)
