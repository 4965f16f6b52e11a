"""What a student's kernel shows, reduced to what cannot hurt whoever looks at it.

Kept are text, errors and pictures in PNG or JPEG, within a number of bytes per cell. Dropped are HTML, JavaScript, SVG,
LaTeX, Markdown and widgets, which a browser would run or fetch for the instructor, and whatever is no output of a
notebook: the kernel is the student's, and can send anything.
"""

import base64
import binascii
from typing import Any

__all__ = ["inert_content", "writable"]

_PICTURES = ("image/png", "image/jpeg")
_NAME_CHARACTERS = 200
_LINES = 200


def inert_content(kind: str, content: Any, room: int) -> dict[str, Any] | None:
    """Return the content of a kernel's message with types as they must be, and no more than fits.

    Args:
        kind: The message's type.
        content: What the kernel sent.
        room: How many characters may still be kept.

    Returns:
        New content; None where there is nothing to keep.

    Example:
        >>> inert_content("stream", {"name": "stdout", "text": "abcdef"}, 3)
        {'name': 'stdout', 'text': 'abc'}
        >>> inert_content("display_data", {"data": {"text/html": "<script>"}}, 100) is None
        True
    """
    return writable(_inert(kind, content, room)) if type(content) is dict else None


def writable(value: Any) -> Any:
    r"""Return an output, or a part of one, with each half of a character that it holds replaced by a question mark.

    A lone surrogate is text to Python, but no file in UTF-8 can hold it.

    Args:
        value: Of what JSON is made of.

    Returns:
        The same with other text.

    Example:
        >>> writable({"text": ["a\udc80"]})
        {'text': ['a?']}
    """
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {writable(key): writable(inner) for key, inner in value.items()}
    return [writable(inner) for inner in value] if isinstance(value, list) else value


def _inert(kind: str, content: dict[str, Any], room: int) -> dict[str, Any] | None:
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        return {"name": name, "text": text[:room]} if name in ("stdout", "stderr") and type(text) is str else None
    if kind == "error":
        lines = content.get("traceback")
        lines = [line for line in lines[:_LINES] if type(line) is str] if type(lines) is list else []
        return {
            "ename": _text(content.get("ename"))[:_NAME_CHARACTERS],
            "evalue": _text(content.get("evalue"))[:room],
            "traceback": _within(lines, room),
        }
    if kind in ("execute_result", "display_data"):
        data = _data(content.get("data"), room)
        count = content.get("execution_count")
        number = {"execution_count": count if type(count) is int else None} if kind == "execute_result" else {}
        return {"data": data, "metadata": {}, **number} if data else None
    return None


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _within(lines: list[str], room: int) -> list[str]:
    kept = []
    for line in lines:
        kept.append(line[:room])
        room -= len(kept[-1])
    return [line for line in kept if line]


def _data(data: Any, room: int) -> dict[str, str]:
    kept = {}
    for kind in _PICTURES if type(data) is dict else ():
        picture = data.get(kind)
        if type(picture) is str and len(picture) <= room and _is_base64(picture):
            kept[kind] = picture
    plain = data.get("text/plain") if type(data) is dict else None
    return kept | ({"text/plain": plain[:room]} if type(plain) is str and plain else {})


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
