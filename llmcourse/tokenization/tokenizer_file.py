r"""The course's own file of a BPE tokenizer: one JSON object, versioned, with readable tokens.

Tokens are written in byte-level BPE's printable alphabet, merges as pairs of ids, so that one can look into the file
and still lose no byte.
"""

import json
import os
from pathlib import Path
from typing import Any

from llmcourse.tokenization.atomic_write import write_whole
from llmcourse.tokenization.byte_alphabet import from_printable, to_printable

__all__ = ["FORMAT", "VERSION", "read_tokenizer_file", "write_tokenizer_file"]

FORMAT = "llmcourse.bpe"
VERSION = 1


def write_tokenizer_file(
    path: str | os.PathLike[str],
    *,
    vocab: dict[int, bytes],
    merges: list[tuple[bytes, bytes]],
    special_tokens: dict[str, int],
    pattern: str,
    whole_words: bool,
) -> None:
    r"""Write what makes a BPE tokenizer; the arguments are those of :class:`BPETokenizer`.

    Args:
        path: Where to.
        vocab: The bytes of every id.
        merges: Pairs of tokens, the first learnt first.
        special_tokens: The id of each.
        pattern: The regular expression of the pre-tokens.
        whole_words: Whether a pre-token that is a token is taken as such.

    Example:
        >>> import tempfile
        >>> parts = dict(vocab={0: b"a", 1: b" a"}, merges=[], special_tokens={}, pattern="gpt2")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_tokenizer_file(Path(folder, "a.json"), **parts, whole_words=False)
        ...     read_tokenizer_file(Path(folder, "a.json"))["vocab"]
        {0: b'a', 1: b' a'}
    """
    special_ids = set(special_tokens.values())
    id_of = {token: i for i, token in vocab.items()}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "pattern": pattern,
        "whole_words": whole_words,
        "special_tokens": special_tokens,
        "vocab": {to_printable(token): i for i, token in vocab.items() if i not in special_ids},
        "merges": [[id_of[left], id_of[right]] for left, right in merges],
    }
    write_whole(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def read_tokenizer_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Read what makes a BPE tokenizer, as the keyword arguments of :class:`BPETokenizer`.

    Args:
        path: A file that :func:`write_tokenizer_file` wrote.

    Returns:
        ``vocab``, ``merges``, ``special_tokens``, ``pattern`` and ``whole_words``.

    Raises:
        ValueError: The file is no such file, or a later version's.
    """
    content = read_json_object(path)
    if content.get("format") != FORMAT:
        raise ValueError(f'{path} is no tokenizer file of this course: its "format" is {content.get("format")!r}')
    if content.get("version") != VERSION:
        raise ValueError(f"{path} has version {content.get('version')!r}; this program reads version {VERSION}")
    try:
        vocab = {i: from_printable(token) for token, i in content["vocab"].items()}
        return {
            "vocab": vocab,
            "merges": [(vocab[left], vocab[right]) for left, right in content["merges"]],
            "special_tokens": content["special_tokens"],
            "pattern": content["pattern"],
            "whole_words": content["whole_words"],
        }
    except KeyError as error:
        raise ValueError(f"{path} is damaged: {error.args[0]!r} is missing from it") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def read_json_object(path: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Read a JSON object.

    Args:
        path: A file in JSON.

    Returns:
        What it holds.

    Raises:
        ValueError: The file is no JSON, or holds no object; names the file.
    """
    try:
        content = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a JSON {type(content).__name__}, not an object")
    return content
