"""Where documents come from: text, Markdown, JSON lines, HTML and WARC, in files and folders."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from llmcourse.pretraining.html_extraction import extract_text
from llmcourse.pretraining.warc import read_warc

__all__ = ["find_sources", "read_documents"]


def find_sources(paths: Iterable[str | Path]) -> list[Path]:
    r"""Return all files that documents can be read from.

    Args:
        paths: Files and folders; of a folder all files of known kinds, also in folders within.

    Returns:
        Absolute paths: those of each argument in the order of the arguments, sorted within a folder, each once.

    Raises:
        ValueError: A path is not there, a file is of no known kind, or there is no file at all; quotes it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("b.txt", "a.html", "c.png"):
        ...         _ = Path(folder, name).write_text("text")
        ...     [path.name for path in find_sources([folder])]
        ['a.html', 'b.txt']
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.is_file() and _reader_of(one))
        elif not path.is_file():
            raise ValueError(f"{str(path)!r} is not there: give files or folders")
        elif _reader_of(path) is None:
            raise ValueError(f"{str(path)!r} is of no kind that can be read: give {', '.join(_READERS)}")
        else:
            files = [path]
        found |= dict.fromkeys(one.resolve() for one in files)
    if not found:
        raise ValueError(f"there is no file to read: give files, or folders that hold {', '.join(_READERS)}")
    return list(found)


def read_documents(path: Path, *, dropped: Counter[str] | None = None) -> Iterator[str]:
    r"""Give the documents of one file.

    A text, Markdown or HTML file is one document; JSON lines have one in the field ``text`` of each line, a WARC file
    one for each page. What cannot be read is no end of a run over thousands of files: it is counted.

    Args:
        path: One of :func:`find_sources`.
        dropped: Counts what was left out, by its reason.

    Yields:
        Texts that are not blank.

    Raises:
        ValueError: The file is of no known kind.
        ImportError: What reads the kind is not installed.
        OSError: The file cannot be read.
    """
    reader = _reader_of(path)
    if reader is None:
        raise ValueError(f"{str(path)!r} is of no kind that can be read: give {', '.join(_READERS)}")
    counts: Counter[str] = Counter() if dropped is None else dropped
    for text in reader(path, counts):
        if text.strip():
            yield text
        else:
            counts["no text"] += 1


def _plain(path: Path, dropped: Counter[str]) -> Iterator[str]:
    try:
        yield path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        dropped["no UTF-8"] += 1


def _json_lines(path: Path, dropped: Counter[str]) -> Iterator[str]:
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    with opened as file:
        for line in file:
            try:
                text = json.loads(line)["text"]
            except (ValueError, KeyError, TypeError):
                text = None
            if isinstance(text, str):
                yield text.encode("utf-8", "replace").decode()  # JSON can write half a character, UTF-8 cannot
            elif line.strip():
                dropped["no line of JSON with a text"] += 1


def _html(path: Path, dropped: Counter[str]) -> Iterator[str]:
    yield extract_text(path.read_bytes())


def _warc(path: Path, dropped: Counter[str]) -> Iterator[str]:
    try:
        for page in read_warc(path, skipped=dropped):
            yield extract_text(page)
    except ValueError:
        dropped["damaged WARC"] += 1


_READERS: dict[str, Callable[[Path, Counter[str]], Iterator[str]]] = {
    ".txt": _plain,
    ".md": _plain,
    ".jsonl": _json_lines,
    ".jsonl.gz": _json_lines,
    ".html": _html,
    ".htm": _html,
    ".warc": _warc,
    ".warc.gz": _warc,
}


def _reader_of(path: Path) -> Callable[[Path, Counter[str]], Iterator[str]] | None:
    name = path.name.lower()
    return next((reader for kind, reader in _READERS.items() if name.endswith(kind)), None)
