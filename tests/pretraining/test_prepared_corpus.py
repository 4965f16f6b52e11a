import json

import pytest
import torch

from llmcourse.pretraining.prepared_corpus import open_corpus, read_manifest, write_corpus
from llmcourse.tokenization import BPETokenizer, train_bpe

BYTES = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [])
DOCUMENTS = [[1, 2, 3], [4], [5, 6], [7, 8, 9, 10]]


def write(folder, **options):
    return write_corpus(iter(DOCUMENTS), folder, **{"tokenizer": BYTES, "shard_tokens": 4, "about": {"a": 1}} | options)


def test_shards_end_with_documents_and_hold_all_tokens_in_order(tmp_path):
    manifest = write(tmp_path)
    assert [shard["n_tokens"] for shard in manifest["shards"]] == [4, 6]
    assert [shard["n_documents"] for shard in manifest["shards"]] == [2, 2]
    corpus = open_corpus(tmp_path)
    assert corpus.manifest == manifest == read_manifest(tmp_path)
    assert corpus.tokens.tolist() == list(range(1, 11))
    assert corpus.shards[1].document(0).tolist() == [5, 6]


@pytest.mark.parametrize(("size", "counts"), [(1, [3, 1, 2, 4]), (100, [10]), (10, [10])])
def test_the_last_shard_is_never_empty(tmp_path, size, counts):
    assert [shard["n_tokens"] for shard in write(tmp_path, shard_tokens=size)["shards"]] == counts


def test_shards_of_a_run_that_was_stopped_are_removed(tmp_path):
    write(tmp_path, shard_tokens=1)
    write(tmp_path, shard_tokens=100)
    assert sorted(path.name for path in tmp_path.glob("shard*")) == ["shard-00000.bin", "shard-00000.bin.json"]


def test_bytes_are_those_of_the_text_without_special_tokens(tmp_path):
    tokenizer = train_bpe("low lower lowest größe", 270, special_tokens=("<|endoftext|>",))
    text = "the lower größe"
    ids = [*tokenizer.encode(text), tokenizer.special_tokens["<|endoftext|>"]]
    write_corpus([ids], tmp_path, tokenizer=tokenizer, shard_tokens=100, about={})
    corpus = open_corpus(tmp_path)
    assert corpus.n_bytes(corpus.tokens) == len(text.encode())
    assert corpus.n_bytes(torch.empty(0, dtype=torch.int16)) == 0


def test_what_is_not_finished_damaged_or_changed_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no prepared corpus, or one that is not finished"):
        open_corpus(tmp_path)
    assert read_manifest(tmp_path) is None
    write(tmp_path)
    shard = tmp_path / "shard-00001.bin"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match=r"shard-00001\.bin' is not what was written"):
        open_corpus(tmp_path)
    shard.write_bytes(content)
    train_bpe("low low", 258).save(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="is not the one that made its shards"):
        open_corpus(tmp_path)
    for wrong in ("", "[]", json.dumps({"version": 9})):
        (tmp_path / "manifest.json").write_text(wrong)
        with pytest.raises(ValueError, match=r"manifest\.json' is no manifest"):
            read_manifest(tmp_path)


def test_no_token_is_refused_and_nothing_looks_finished(tmp_path):
    with pytest.raises(ValueError, match="hold no token"):
        write_corpus([], tmp_path, tokenizer=BYTES, shard_tokens=4, about={})
    assert read_manifest(tmp_path) is None
