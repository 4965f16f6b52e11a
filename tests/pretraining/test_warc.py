"""Files are written by warcio's own writer, and damaged by hand."""

import gzip
import io
import subprocess
import sys
from collections import Counter

import pytest

from llmcourse.pretraining import Page, read_warc

pytest.importorskip("warcio")
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

# warcio's writer leaves the temporary files in which it counts to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ANSWERS = [
    ("200 OK", "text/html; charset=iso-8859-1", "<p>Zürich</p>".encode("latin-1")),
    ("404 Not Found", "text/html", b"<p>no such page</p>"),
    ("200 OK", "image/png", b"\x89PNG"),
    ("301 Moved Permanently", "text/html", b""),
    ("200 OK", "application/xhtml+xml", b"<p>two</p>"),
    ("200 OK", None, b"<p>no type</p>"),
    ("200 OK", "text/html", bytes(range(256)) * 40),
]


def write(path, answers=ANSWERS, *, compressed=True):
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=compressed)
        writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "test"}))
        for number, (status, kind, body) in enumerate(answers):
            url = f"http://example.org/{number}"
            request = StatusAndHeaders("GET / HTTP/1.1", [("Host", "example.org")], is_http_request=True)
            writer.write_record(writer.create_warc_record(url, "request", http_headers=request))
            headers = StatusAndHeaders(status, [("Content-Type", kind)] if kind else [], protocol="HTTP/1.1")
            record = writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=headers)
            writer.write_record(record)
    return path


@pytest.mark.parametrize("compressed", [True, False])
def test_html_answers_are_given_and_all_else_is_counted_by_reason(tmp_path, compressed):
    path = write(tmp_path / "x.warc", compressed=compressed)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == compressed
    skipped = Counter()
    pages = list(read_warc(path, skipped=skipped))
    assert pages == [
        Page("http://example.org/0", "<p>Zürich</p>".encode("latin-1"), "iso-8859-1"),
        Page("http://example.org/4", b"<p>two</p>", ""),
        Page("http://example.org/6", bytes(range(256)) * 40, ""),
    ]
    assert skipped == {
        "record: warcinfo": 1,
        "record: request": 7,
        "status: 404": 1,
        "status: 301": 1,
        "type: image/png": 1,
        "type: text/plain": 1,
    }


def test_a_compressed_body_is_decompressed_and_a_wrong_type_is_no_error(tmp_path):
    path = tmp_path / "x.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for kind in ("text/html", ";;;", "text/html; charset=", 'text/html; charset="utf-8"'):
            headers = [("Content-Type", kind), ("Content-Encoding", "gzip")]
            record = writer.create_warc_record(
                "http://example.org/",
                "response",
                payload=io.BytesIO(gzip.compress(b"<p>packed</p>")),
                http_headers=StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1"),
            )
            writer.write_record(record)
    skipped = Counter()
    pages = list(read_warc(path, skipped=skipped))
    assert [page.body for page in pages] == [b"<p>packed</p>"] * 3
    assert [page.charset for page in pages] == ["", "", "utf-8"]
    assert skipped == {"type: text/plain": 1}


def test_pages_that_are_too_long_are_counted(tmp_path):
    path = write(tmp_path / "x.warc", [("200 OK", "text/html", b"x" * n) for n in (99, 100, 101)])
    skipped = Counter()
    assert [len(page.body) for page in read_warc(path, skipped=skipped, max_bytes=100)] == [99, 100]
    assert skipped["longer than 100 bytes"] == 1


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_that_was_cut_off_gives_whole_pages_alone(tmp_path, compressed):
    bodies = [bytes([65 + n]) * 2000 for n in range(4)]
    path = write(tmp_path / "x.warc", [("200 OK", "text/html", body) for body in bodies], compressed=compressed)
    content, cut = path.read_bytes(), tmp_path / "cut.warc"
    for share in range(1, 20):
        cut.write_bytes(content[: len(content) * share // 20])
        found = []
        try:
            for page in read_warc(cut):
                found.append(page.body)
        except ValueError as error:
            assert "is no WARC file, or damaged" in str(error)
        assert found == bodies[: len(found)]


def test_something_else_is_refused_and_nothing_is_no_page(tmp_path):
    path = tmp_path / "notes.warc"
    path.write_text("dear diary\n" * 20)
    with pytest.raises(ValueError, match=r"notes\.warc' is no WARC file, or damaged"):
        list(read_warc(path))
    path.write_bytes(b"")
    assert list(read_warc(path)) == []
    with pytest.raises(FileNotFoundError):
        list(read_warc(tmp_path / "absent.warc"))


def test_without_warcio_it_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['warcio'] = None; from llmcourse.pretraining import read_warc; list(read_warc('x'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert "pip install warcio" in done.stderr, done.stderr
