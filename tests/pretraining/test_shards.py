import json

import pytest
import torch

from llmcourse.pretraining import BatchStream, get_batch, open_shard, write_shard
from llmcourse.tokenization import BPETokenizer

BYTES = {byte: bytes([byte]) for byte in range(256)}
TOKENIZER = BPETokenizer(BYTES, [])
DOCUMENTS = [[1, 2, 3], [255] * 50, [], list(range(100))]


@pytest.fixture
def path(tmp_path):
    write_shard(DOCUMENTS, tmp_path / "a.bin", tokenizer=TOKENIZER)
    return tmp_path / "a.bin"


def test_documents_come_back(path):
    shard = open_shard(path, tokenizer=TOKENIZER)
    assert [shard.document(index).tolist() for index in range(4)] == DOCUMENTS
    assert len(shard.tokens) == 153
    assert path.stat().st_size == 306
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.bin", "a.bin.json"]


def test_batches_are_cut_from_it(path):
    tokens = open_shard(path, tokenizer=TOKENIZER).tokens
    inputs, labels = get_batch(tokens[53:], 4, 10, generator=torch.Generator().manual_seed(0))
    assert torch.equal(labels, inputs + 1)
    assert next(BatchStream(tokens, batch_size=2, seq_len=8)).inputs.dtype == torch.int64


def test_a_large_vocabulary_takes_four_bytes(tmp_path):
    large = BPETokenizer(BYTES, [], {"<s>": 69_999})
    shard = write_shard([[0, 69_999]], tmp_path / "a.bin", tokenizer=large)
    assert shard.tokens.tolist() == [0, 69_999]
    assert (tmp_path / "a.bin").stat().st_size == 8


def test_another_tokenizer_is_refused(path):
    with pytest.raises(ValueError, match=r"a\.bin' was made with another tokenizer \(vocabulary 256, yours 257\)"):
        open_shard(path, tokenizer=BPETokenizer(BYTES, [], ["<s>"]))


def test_damage_is_found(path):
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.bin' is not what was written"):
        open_shard(path, tokenizer=TOKENIZER)
    open_shard(path, tokenizer=TOKENIZER, verify=False)
    path.write_bytes(data[:-2])
    with pytest.raises(ValueError, match=r"is not what was written \(304 bytes\)"):
        open_shard(path, tokenizer=TOKENIZER, verify=False)
    path.unlink()
    with pytest.raises(ValueError, match=r"is not what was written \(0 bytes\)"):
        open_shard(path, tokenizer=TOKENIZER)


def test_what_is_no_shard_is_refused(path):
    index = path.with_name("a.bin.json")
    index.write_text(json.dumps(json.loads(index.read_text()) | {"version": 2}))
    with pytest.raises(ValueError, match="is of version 2: this course reads 1"):
        open_shard(path, tokenizer=TOKENIZER)
    for text in ("{", "[]", "{}"):
        index.write_text(text)
        with pytest.raises(ValueError, match=r"a\.bin' is no shard"):
            open_shard(path, tokenizer=TOKENIZER)
    with pytest.raises(ValueError, match=r"none' is no shard"):
        open_shard(path.with_name("none"), tokenizer=TOKENIZER)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "0 documents hold no token"),
        ([[], []], "2 documents hold no token"),
        ([[1], [256]], "document 1 has the id 256"),
        ([[-1]], "document 0 has the id -1"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_and_the_old_shard_as_it_was(path, documents, message):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        write_shard(documents, path, tokenizer=TOKENIZER)
    assert path.read_bytes() == before
    open_shard(path, tokenizer=TOKENIZER)
    assert len(list(path.parent.iterdir())) == 2
