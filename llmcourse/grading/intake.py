"""What may stand in a folder that a student handed in, looked at before any of it is opened.

nbgrader copies everything from ``submitted/<student>/<assignment>/``, follows links, and reads notebooks of any size.
This module says why a folder cannot be taken as it is: it, or something in it, is a symbolic link or no plain file
(opening a named pipe blocks for ever), there are too many files or bytes in it, or a notebook is so large or so deeply
nested that reading it would exhaust memory or the interpreter's stack.

It does not look at what code does, which the sandbox holds, and cannot tell a hard link from a file: whoever copies
submissions into the course folder must copy contents, as nbgrader's ``collect`` and an unpacked archive do. Nor does it
guard against a student who can write to the folder while it is graded.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["notebook_bomb", "plain_bytes", "plain_files", "shown", "unsafe"]

MAX_ENTRIES = 1_000
MAX_DEPTH = 20
MAX_FOLDER_BYTES = 100_000_000
MAX_NOTEBOOK_BYTES = 20_000_000
# nbformat and copy.deepcopy recurse, with up to four Python frames a level; plots and widgets nest about twenty deep.
MAX_NESTING = 100
# Lists and dictionaries cost up to two kilobytes each while nbformat reads and nbconvert copies a notebook, so that
# these limits hold it under a gigabyte; the largest plots have thousands.
MAX_CONTAINERS = 100_000

_CLEAR = "clear its outputs in JupyterLab, save it and hand it in again"
_SHOWN_CHARACTERS = 80
# Always matches from the first quote to the last, also in a text that ends inside a string, and never backtracks.
_JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[][{}]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def shown(name: str) -> str:
    r"""Return a file's name as it can stand in a line of text: no control characters, no broken ones, no great length.

    Args:
        name: Any name that a file can have.

    Returns:
        The name itself where it is ordinary.

    Example:
        >>> shown("notes.txt"), shown("a" + chr(10) + "b"), shown(chr(0xDCFF))
        ('notes.txt', "'a\\nb'", "'\\udcff'")
    """
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def unsafe(folder: Path) -> str | None:
    """Return why a submitted folder must not be copied or read, with what to do about it; None when it may be.

    Nothing is opened and no link is followed. The cost is bounded by 1,000 entries, whatever the folder holds.

    Args:
        folder: ``submitted/<student>/<assignment>``.

    Returns:
        The reason, or None.
    """
    try:
        for place in (folder.parent, folder):
            if place.is_symlink():
                return f"the folder {shown(place.name)} is a symbolic link; put the submission's own files there"
        return _unsafe_contents(folder)
    except OSError as error:
        return f"the folder cannot be read: {error.strerror or error}"


def _unsafe_contents(folder: Path) -> str | None:
    count = total = 0
    for entry, depth in _entries(folder):
        name, info = shown(os.path.relpath(entry.path, folder)), entry.stat(follow_symlinks=False)
        count, total = count + 1, total + (info.st_size if stat.S_ISREG(info.st_mode) else 0)
        if (wrong := _wrong_entry(entry, info)) is not None:
            return f"{name} {wrong}"
        if depth > MAX_DEPTH:
            return (
                f"its folders are nested more than {MAX_DEPTH} deep ({name}); hand in the notebook and its files alone"
            )
        if count > MAX_ENTRIES:
            return f"it holds more than {MAX_ENTRIES:,} files and folders; hand in the notebook and its files alone"
        if total > MAX_FOLDER_BYTES:
            return (
                f"its files exceed {MAX_FOLDER_BYTES:,} bytes in all ({name}); hand in the notebook and its files alone"
            )
    return None


def _wrong_entry(entry: "os.DirEntry[str]", info: os.stat_result) -> str | None:
    if stat.S_ISLNK(info.st_mode):
        return "is a symbolic link; put the file itself there, or delete the link"
    if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
        return "is neither a file nor a folder (a named pipe, socket or device); delete it"
    if stat.S_ISDIR(info.st_mode) and entry.name.endswith(".ipynb"):
        return "is a folder; a notebook is a file"
    if _CONTROL.search(entry.name):
        return "has a control character in its name; rename or delete it"
    if not os.access(entry.path, os.R_OK):
        return "cannot be read; give yourself the right to read it"
    return None


def _entries(folder: Path) -> Iterator[tuple["os.DirEntry[str]", int]]:
    """Yield all that is in a folder and below, with its depth; a stack, since a student chooses how deep it is."""
    waiting = [(os.fspath(folder), 1)]
    while waiting:
        path, depth = waiting.pop()
        with os.scandir(path) as found:
            for entry in found:
                yield entry, depth
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))


def plain_files(folder: Path) -> list[Path]:
    """Return the files in a folder that is not :func:`unsafe` and in the folders below it, sorted."""
    return sorted(Path(entry.path) for entry, _ in _entries(folder) if entry.is_file(follow_symlinks=False))


def plain_bytes(path: Path, *, limit: int) -> bytes:
    """Read a plain file; a link is not followed, and a named pipe does not block.

    Args:
        path: The file.
        limit: How many bytes it may hold.

    Returns:
        Its bytes.

    Raises:
        ValueError: It is no plain file, cannot be read, or holds more.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ValueError(f"{shown(path.name)} is no plain file")
        with open(path, "rb", opener=_open_plain) as file:  # Path.open takes no opener
            content = file.read(limit + 1)
    except OSError as error:
        raise ValueError(f"{shown(path.name)} cannot be read: {error.strerror}") from error
    if len(content) > limit:
        raise ValueError(f"{shown(path.name)} holds more than {limit:,} bytes")
    return content


def _open_plain(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def notebook_bomb(path: Path) -> str | None:
    """Return why reading a notebook would cost too much memory or stack, with what to do about it; None when it may be.

    Args:
        path: A notebook file, of whatever content.

    Returns:
        The reason, or None. Whether it is a notebook at all is not looked at.
    """
    try:
        bare = _JSON_STRING.sub(b"", plain_bytes(path, limit=MAX_NOTEBOOK_BYTES))
    except ValueError as error:
        return f"{error}; {_CLEAR}"
    if bare.count(b"{") + bare.count(b"[") > MAX_CONTAINERS:
        return f"{shown(path.name)} holds more than {MAX_CONTAINERS:,} lists and dictionaries; {_CLEAR}"
    depth = 0
    for bracket in _BRACKET.findall(bare):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_NESTING:
            return f"{shown(path.name)} is nested more than {MAX_NESTING} deep; {_CLEAR}"
    return None
