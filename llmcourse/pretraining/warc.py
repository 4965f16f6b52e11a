"""WARC: the files in which a crawl keeps what servers answered, as CommonCrawl ships them."""

from collections import Counter
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Page", "read_warc"]

_HTML = ("text/html", "application/xhtml+xml")


class Page(NamedTuple):
    """An HTML page as a server gave it.

    Attributes:
        url: Where it was.
        body: Its bytes, decompressed.
        charset: Their encoding as the header says, which may be wrong; empty where it says nothing.
    """

    url: str
    body: bytes
    charset: str = ""


def read_warc(path: str | Path, *, skipped: Counter[str] | None = None, max_bytes: int = 10_000_000) -> Iterator[Page]:
    r"""Give the HTML pages of a WARC file (ISO 28500), one record in memory at a time.

    Args:
        path: The file, plain or compressed, a gzip member for each record as CommonCrawl has it.
        skipped: Counts, by their reason, what is passed over: records that are no answer of a server, errors of the
            server, other types than HTML, pages that are too long or were cut off.
        max_bytes: How long a page may be.

    Yields:
        Pages in the order of the file.

    Raises:
        ValueError: It is no WARC file, or damaged; quotes it. Pages before the damage are given.
        ImportError: warcio is not installed.
        OSError: It cannot be read.
    """
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
        from warcio.statusandheaders import StatusAndHeadersParserException
    except ImportError as error:
        raise ImportError("WARC is read by warcio: pip install 'llmcourse[data]', or pip install warcio") from error
    counts = Counter() if skipped is None else skipped
    with Path(path).open("rb") as file:
        try:
            for record in ArchiveIterator(file):
                found = _page_of(record, max_bytes)
                if isinstance(found, Page):
                    yield found
                else:
                    counts[found] += 1
        # The last two are what warcio gives where a file ends within a record's header.
        except (ArchiveLoadFailed, StatusAndHeadersParserException, EOFError, AttributeError) as error:
            raise ValueError(f"{str(path)!r} is no WARC file, or damaged: {error}") from error


def _page_of(record: Any, max_bytes: int) -> Page | str:
    """Return the page of a record, or why there is none."""
    if record.rec_type != "response":
        return f"record: {record.rec_type}"
    if record.http_headers is None:
        return "record: response without HTTP"
    status = record.http_headers.get_statuscode()
    if status != "200":
        return f"status: {status}"
    header = Message()
    header["content-type"] = record.http_headers.get_header("Content-Type", "none")
    kind = header.get_content_type()  # "text/plain" where nothing, or nonsense, is said
    if kind not in _HTML:
        return f"type: {kind}"
    body = record.content_stream().read(max_bytes + 1)
    if len(body) > max_bytes:
        return f"longer than {max_bytes} bytes"
    if record.rec_headers.get_header("WARC-Truncated") or getattr(record.raw_stream, "limit", 0):
        return "cut off"
    return Page(record.rec_headers.get_header("WARC-Target-URI", ""), body, header.get_content_charset(""))
