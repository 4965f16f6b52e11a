r"""Hugging Face's ``tokenizer.json``, for byte-level BPE without a normalizer: what GPT-2, Llama 3 and Qwen use.

The file describes a pipeline of which only one kind is understood here; any other is refused by the name of the key
rather than read wrongly. What comes after encoding (templates that add a first token, padding, truncation) is no part
of the tokenizer here and is left out: compare with ``encode(text, add_special_tokens=False)``.
"""

import json
import os
import re
from typing import Any

from llmcourse.tokenization.atomic_write import write_whole
from llmcourse.tokenization.byte_alphabet import from_printable, to_printable
from llmcourse.tokenization.patterns import CL100K_PATTERN, GPT2_PATTERN, resolve
from llmcourse.tokenization.tokenizer_file import read_json_object

__all__ = ["read_huggingface", "write_huggingface"]

# Hugging Face's regular expressions are Oniguruma's, where {1,3}+ repeats instead of refusing to backtrack.
_POSSESSIVE_COUNT = re.compile(r"\{\d*,?\d*\}\+")
_ONIGURUMA_CL100K = CL100K_PATTERN.replace("{1,3}+", "{1,3}")


def write_huggingface(
    path: str | os.PathLike[str],
    *,
    vocab: dict[int, bytes],
    merges: list[tuple[bytes, bytes]],
    special_tokens: dict[str, int],
    pattern: str,
    whole_words: bool,
) -> None:
    r"""Write a ``tokenizer.json``; the arguments are those of :class:`BPETokenizer`.

    Args:
        path: Where to.
        vocab: The bytes of every id.
        merges: Pairs of tokens, the first learnt first.
        special_tokens: The id of each.
        pattern: The regular expression of the pre-tokens.
        whole_words: Whether a pre-token that is a token is taken as such (``ignore_merges``).

    Raises:
        ValueError: A special token is written as an ordinary one is, or the pattern means something else to
            Oniguruma.
    """
    names = {i: token for token, i in special_tokens.items()}
    tokens = {i: to_printable(token) for i, token in vocab.items() if i not in names}
    if clash := set(tokens.values()) & set(special_tokens):
        raise ValueError(f"special token {min(clash)!r} is how Hugging Face writes an ordinary token: rename it")
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": token, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for i, token in sorted(names.items())
        ],
        "normalizer": None,
        "pre_tokenizer": _pre_tokenizer(pattern),
        "post_processor": None,
        "decoder": _byte_level(use_regex=True),
        "model": {
            "type": "BPE",
            **dict.fromkeys(("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")),
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": whole_words,
            "vocab": {token: i for i, token in sorted((tokens | names).items())},
            "merges": [[to_printable(left), to_printable(right)] for left, right in merges],
        },
    }
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1).encode())


def read_huggingface(path: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Read a ``tokenizer.json``, as the keyword arguments of :class:`BPETokenizer`.

    Args:
        path: A ``tokenizer.json``.

    Returns:
        ``vocab``, ``merges``, ``special_tokens``, ``pattern`` and ``whole_words``.

    Raises:
        ValueError: The file is no JSON, or describes a tokenizer that is none of this kind; names the key.
    """
    content = read_json_object(path)
    try:
        model, added = content["model"], content["added_tokens"]
        _check_model(path, content, model)
        special = {token["content"]: token["id"] for token in added}
        for token in added:
            for key in ("single_word", "lstrip", "rstrip"):
                _expect(path, f"added_tokens[{token['content']!r}].{key}", token.get(key, False), (False,))
        vocab = {i: from_printable(token) for token, i in model["vocab"].items() if token not in special}
        pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"])
        merges = [(from_printable(left), from_printable(right)) for left, right in pairs]
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is no tokenizer.json of a BPE model: {type(error).__name__} {error}") from error
    return {
        "vocab": vocab,
        "merges": merges,
        "special_tokens": special,
        "pattern": _pattern(path, content.get("pre_tokenizer")),
        "whole_words": bool(model.get("ignore_merges", False)),
    }


def _check_model(path: str | os.PathLike[str], content: dict[str, Any], model: dict[str, Any]) -> None:
    _expect(path, "model.type", model.get("type", "BPE"), ("BPE",))
    _expect(path, "normalizer", content.get("normalizer"), (None,))
    _expect(path, "model.dropout", model.get("dropout"), (None, 0.0))
    _expect(path, "model.byte_fallback", model.get("byte_fallback", False), (False,))
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        _expect(path, f"model.{key}", model.get(key), (None, ""))


def _expect(path: str | os.PathLike[str], key: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        shown = value.get("type", value) if isinstance(value, dict) else value
        raise ValueError(f"{path}: {key} is {shown!r}, but only {known[0]!r} is understood (byte-level BPE)")


def _pattern(path: str | os.PathLike[str], pre_tokenizer: dict[str, Any] | None) -> str:
    """Read the pattern off one of the two pre-tokenizers that byte-level BPE has: ByteLevel, or Split and ByteLevel."""
    kind = None if pre_tokenizer is None else pre_tokenizer.get("type")
    _expect(path, "pre_tokenizer", kind, ("ByteLevel", "Sequence"))
    assert pre_tokenizer is not None
    steps = pre_tokenizer.get("pretokenizers", []) if kind == "Sequence" else [pre_tokenizer]
    types = [step.get("type") for step in steps]
    _expect(path, "pre_tokenizer", types, (["Split", "ByteLevel"], ["ByteLevel"]))
    _expect(path, "pre_tokenizer.add_prefix_space", steps[-1].get("add_prefix_space", True), (False,))
    _expect(path, "pre_tokenizer.use_regex", steps[-1].get("use_regex", True), (len(steps) == 1,))
    if len(steps) == 1:
        return GPT2_PATTERN
    cut = (steps[0].get("behavior"), steps[0].get("invert", False))
    _expect(path, "pre_tokenizer.behavior and .invert", cut, (("Isolated", False), ("Removed", True)))
    found = steps[0].get("pattern", {}).get("Regex")
    if not isinstance(found, str) or _POSSESSIVE_COUNT.search(found):
        raise ValueError(
            f"{path}: pre_tokenizer.pattern is {steps[0].get('pattern')!r}, not a Regex that is understood"
        )
    return resolve(found)


def _pre_tokenizer(pattern: str) -> dict[str, Any]:
    if pattern == GPT2_PATTERN:
        return _byte_level(use_regex=True)
    written = _ONIGURUMA_CL100K if pattern == CL100K_PATTERN else pattern
    if _POSSESSIVE_COUNT.search(written):
        raise ValueError(f"pattern {pattern!r} cannot be exported: Oniguruma takes {{n,m}}+ for a repetition")
    split = {"type": "Split", "pattern": {"Regex": written}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, _byte_level(use_regex=False)]}


def _byte_level(*, use_regex: bool) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}
