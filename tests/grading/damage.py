"""Damage to notebook files, of the kinds that happen by accident and the kinds that somebody would try.

    damaged(text, seed)

is always the same for the same text and seed; seeds that follow each other take the kinds in turn, so that any run of
``len(KINDS)`` seeds holds each kind once. Nothing it makes is larger than a few megabytes.
"""

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["KINDS", "damaged"]

_ODD = (None, True, -1, 0.5, "", "x", [], {}, [[]], {"a": {"b": []}}, float("nan"), 10**30, "\ud800", "\x00", ["a", 1])


def damaged(notebook_text: str, seed: int) -> bytes:
    """Return the bytes of a notebook file after one kind of damage."""
    rng = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    if kind in _RAW:
        return kind(notebook_text.encode(), rng)
    notebook = json.loads(notebook_text)
    result = kind(notebook, rng)
    return json.dumps(notebook if result is None else result).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return each container and key in a notebook."""
    found, waiting = [], [value]
    while waiting:
        inner = waiting.pop()
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        for key in keys:
            found.append((inner, key))
            if isinstance(inner[key], dict | list):
                waiting.append(inner[key])
    return found


def _cell(notebook: dict, rng: random.Random) -> dict:
    return rng.choice(notebook["cells"])


def _marked(notebook: dict, rng: random.Random) -> dict:
    return rng.choice([cell for cell in notebook["cells"] if "nbgrader" in cell["metadata"]])


# Damage to the bytes of the file.


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def zeroed_block(data: bytes, rng: random.Random) -> bytes:
    start, size = rng.randrange(len(data)), rng.choice((1, 512, 4096))
    return data[:start] + bytes(size) + data[start + size :]


def lost_block(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 4096) :]


def other_encoding(data: bytes, rng: random.Random) -> bytes:
    return data.decode().encode(rng.choice(("utf-16", "utf-32-le", "utf-8-sig", "utf-7")))


def line_endings(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", rng.choice((b"\r\n", b"\r")))


def merge_conflict(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    return b"\n".join(
        [*lines[:at], b"<<<<<<< HEAD", lines[at], b"=======", lines[at], b">>>>>>> main", *lines[at + 1 :]]
    )


def written_twice(data: bytes, rng: random.Random) -> bytes:
    return data + rng.choice((data, data[: len(data) // 3], b"\n]}", bytes(100)))


def something_else(data: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        (b"", b" \n", b"PK\x03\x04" + rng.randbytes(500), b"<html>Please log in</html>", b"null", b"[]", b"7")
    )


def nested_deep(data: bytes, rng: random.Random) -> bytes:
    depth, pair = rng.choice((50, 150, 900, 5_000, 200_000)), rng.choice((b"[]", b"{}"))
    inner = b"[" * depth + b"]" * depth if pair == b"[]" else b'{"a":' * depth + b"1" + b"}" * depth
    return data.replace(b'"metadata": {', b'"metadata": {"deep": ' + inner + b", ", 1)


def duplicate_keys(data: bytes, rng: random.Random) -> bytes:
    key, value = rng.choice(((b"cells", b"[]"), (b"metadata", b"{}"), (b"nbformat", b"3"), (b"cells", b'{"a": 1}')))
    start = data.rstrip()[1:] if rng.random() < 0.5 else data.rstrip()[:-1]
    extra = b'"' + key + b'": ' + value
    return b"{" + extra + b", " + start if start[:1] != b"{" else start + b", " + extra + b"}"


def huge_number(data: bytes, rng: random.Random) -> bytes:
    number = rng.choice((b"9" * 5_000, b"1e999", b"-Infinity", b"NaN", b"9" * 4_000))
    key = rng.choice((b'"points": ', b'"nbformat_minor": ', b'"schema_version": '))
    at = data.find(key) + len(key)
    return data[:at] + number + data[at:].lstrip(b"0123456789.")


def many_values(data: bytes, rng: random.Random) -> bytes:
    value, count = rng.choice(((b"[]", 300_000), (b"{}", 300_000), (b"0", 30_000), (b'""', 30_000)))
    return data.replace(b'"metadata": {', b'"metadata": {"many": [' + b",".join([value] * count) + b"], ", 1)


# Damage to what the file says.


def deleted_keys(notebook: dict, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 5)):
        container, key = rng.choice(_places(notebook))
        if isinstance(container, dict):
            del container[key]


def wrong_types(notebook: dict, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 5)):
        container, key = rng.choice(_places(notebook))
        container[key] = rng.choice(_ODD)


def wrong_type_of_a_cell(notebook: dict, rng: random.Random) -> None:
    cell = _cell(notebook, rng)
    cell[rng.choice(list(cell))] = rng.choice(_ODD)


def cells_of_other_types(notebook: dict, rng: random.Random) -> None:
    notebook["cells"].insert(rng.randrange(len(notebook["cells"])), rng.choice(_ODD))


def shuffled_cells(notebook: dict, rng: random.Random) -> None:
    rng.shuffle(notebook["cells"])


def deleted_cells(notebook: dict, rng: random.Random) -> None:
    rng.shuffle(order := list(range(len(notebook["cells"]))))
    kept = sorted(order[: rng.randrange(len(order))])
    notebook["cells"] = [notebook["cells"][index] for index in kept]


def duplicated_cells(notebook: dict, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 20)):
        notebook["cells"].insert(rng.randrange(len(notebook["cells"])), json.loads(json.dumps(_cell(notebook, rng))))


def changed_marks(notebook: dict, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 10)):
        marks = _marked(notebook, rng)["metadata"]["nbgrader"]
        key = rng.choice(
            ("grade", "solution", "locked", "task", "points", "schema_version", "checksum", "cell_type", "new")
        )
        marks[key] = rng.choice((True, False, 0, 1, 2, 4, 1e6, -5, "99", None, "code", "markdown", [], {"a": 1}))


def changed_ids(notebook: dict, rng: random.Random) -> None:
    names = [cell["metadata"]["nbgrader"]["grade_id"] for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    for _ in range(rng.randint(1, 10)):
        marks = _marked(notebook, rng)["metadata"]["nbgrader"]
        marks["grade_id"] = rng.choice((*names, "", "new", "a b/../c", "x" * 10_000, None, 5, []))


def lost_marks(notebook: dict, rng: random.Random) -> None:
    for cell in notebook["cells"]:
        if rng.random() < 0.7:
            cell["metadata"] = rng.choice(({}, {"id": "colab"}, {"nbgrader": {}}, {"tags": ["skip-execution"]}))
        if rng.random() < 0.3:
            cell.pop("id", None)


def changed_types(notebook: dict, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 10)):
        _cell(notebook, rng)["cell_type"] = rng.choice(("code", "markdown", "raw", "heading", "html", "", 5, None))


def changed_text(notebook: dict, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 10)):
        _cell(notebook, rng)["source"] = rng.choice(
            ("", "pass", ["a\n", "b"], "\x00", "\ud83d", "\ufeffx = 1", "%%bash\nid")
        )


def huge_text(notebook: dict, rng: random.Random) -> None:
    _cell(notebook, rng)["source"] = rng.choice(("x", "é\n", "\\", '"')) * rng.choice((10_000, 1_000_000))


def many_cells(notebook: dict, rng: random.Random) -> None:
    extra = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    notebook["cells"][rng.randrange(5) : 0] = [extra] * rng.choice((100, 1_100))


def odd_outputs(notebook: dict, rng: random.Random) -> None:
    outputs = (
        {"output_type": "stream", "name": "stderr", "text": "x" * 100_000},
        {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1},
        {"output_type": "display_data", "data": {"text/html": ["<script>", "</script>"]}, "metadata": {}},
        {"output_type": "nothing"},
        {},
        "x",
    )
    for cell in notebook["cells"]:
        cell["outputs"] = rng.choices(outputs[: rng.randint(3, 6)], k=3)
        cell["attachments"] = rng.choice(({}, {"a.png": {"image/png": "AAAA"}}, {"a.png": {}}))


def other_versions(notebook: dict, rng: random.Random) -> None:
    notebook["nbformat"] = rng.choice((0, 1, 2, 3, 5, 99, "4", 4.5, None))
    notebook["nbformat_minor"] = rng.choice((0, 5, 99, -1, "5", None))


def older_layout(notebook: dict, rng: random.Random) -> dict:
    cells = notebook["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["input"], cell["language"] = "".join(cell.pop("source")), "python"
    version = rng.choice((2, 3))
    return {"nbformat": version, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}


_RAW: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncated,
    flipped_bytes,
    zeroed_block,
    lost_block,
    other_encoding,
    line_endings,
    merge_conflict,
    written_twice,
    something_else,
    nested_deep,
    duplicate_keys,
    huge_number,
    many_values,
)
KINDS: tuple[Callable[[Any, random.Random], Any], ...] = (
    *_RAW,
    deleted_keys,
    wrong_types,
    wrong_type_of_a_cell,
    cells_of_other_types,
    shuffled_cells,
    deleted_cells,
    duplicated_cells,
    changed_marks,
    changed_ids,
    lost_marks,
    changed_types,
    changed_text,
    huge_text,
    many_cells,
    odd_outputs,
    other_versions,
    older_layout,
)
