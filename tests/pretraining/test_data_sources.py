import gzip
import json
from collections import Counter

import pytest

from llmcourse.pretraining.data_sources import find_sources, read_documents

pytest.importorskip("trafilatura")


def test_files_of_known_kinds_are_found_in_a_fixed_order_and_once(tmp_path):
    for name in ("b/z.txt", "b/a.md", "a.jsonl", "x.png", "c.WARC.gz", "noext"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find_sources([tmp_path / "b", tmp_path, tmp_path / "a.jsonl"])
    names = [str(path.relative_to(tmp_path.resolve())) for path in found]
    assert names == ["b/a.md", "b/z.txt", "a.jsonl", "c.WARC.gz"]


def test_what_is_not_there_or_cannot_be_read_is_quoted(tmp_path):
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"absent' is not there"):
        find_sources([tmp_path / "absent"])
    with pytest.raises(ValueError, match=r"x\.png' is of no kind that can be read: give \.txt"):
        find_sources([tmp_path / "x.png"])
    with pytest.raises(ValueError, match="there is no file to read"):
        find_sources([tmp_path])
    with pytest.raises(ValueError, match="there is no file to read"):
        find_sources([])
    with pytest.raises(ValueError, match=r"x\.png' is of no kind"):
        next(read_documents(tmp_path / "x.png"))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_lines_of_json_are_documents_and_bad_ones_are_counted(tmp_path, name):
    lines = [json.dumps({"text": "one"}), "", "{broken", '{"body": "x"}', '{"text": 3}', "[1]", '{"text": " "}']
    lines.append('{"text": "half \\ud800 a character"}')
    content = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    dropped = Counter()
    assert list(read_documents(tmp_path / name, dropped=dropped)) == ["one", "half ? a character"]
    assert dropped == {"no line of JSON with a text": 4, "no text": 1}


def test_text_is_one_document_and_no_utf8_is_counted(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\ntwo", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xfa")
    dropped = Counter()
    assert list(read_documents(tmp_path / "a.txt", dropped=dropped)) == ["one\n\ntwo"]
    assert list(read_documents(tmp_path / "b.txt", dropped=dropped)) == []
    assert dropped == {"no UTF-8": 1}


def test_pages_give_their_text(tmp_path):
    sentence = "The cat sat on the mat and looked at the dog, which slept in the warm sun all day."
    (tmp_path / "a.html").write_text(f"<nav><a href='/'>Home</a></nav><article><p>{sentence}</p></article>")
    assert list(read_documents(tmp_path / "a.html")) == [sentence]


def test_a_damaged_warc_is_counted(tmp_path):
    pytest.importorskip("warcio")
    (tmp_path / "a.warc").write_text("dear diary\n")
    dropped = Counter()
    assert list(read_documents(tmp_path / "a.warc", dropped=dropped)) == []
    assert dropped == {"damaged WARC": 1}
