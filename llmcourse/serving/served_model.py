"""A checkpoint's folder as something to talk to: the model, its text, and where its answers end."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llmcourse.architecture import Transformer, load_huggingface
from llmcourse.architecture.safetensors_folder import read_json
from llmcourse.serving.jinja_chat import JinjaChat
from llmcourse.serving.text_codec import BPECodec, TextCodec
from llmcourse.tokenization import BPETokenizer

__all__ = ["ServedModel", "load_served_model"]


@dataclass(frozen=True)
class ServedModel:
    r"""What a server needs.

    Attributes:
        name: By which clients ask for it.
        model: In evaluation mode, without gradients.
        codec: Its text.
    """

    name: str
    model: Transformer
    codec: TextCodec


def load_served_model(
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
) -> ServedModel:
    r"""Load a checkpoint with its tokenizer, its chat template if it has one, and the tokens that end its answers.

    Args:
        folder: With config.json, safetensors and tokenizer.json, as Hugging Face stores them.
        name: For clients; the folder's unless given.
        dtype: Of the parameters; None keeps the checkpoint's.
        device: Where the model is to be.

    Returns:
        What a server needs.

    Raises:
        ValueError: Something is missing or of a kind that is not supported; names it.
    """
    folder = Path(folder)
    model = load_huggingface(folder, dtype=dtype, device=device).requires_grad_(False)
    if not (folder / "tokenizer.json").is_file():
        raise ValueError(f"{folder} has no tokenizer.json: download it with the weights")
    tokenizer = BPETokenizer.from_huggingface(folder / "tokenizer.json")
    codec = BPECodec(
        tokenizer,
        first_tokens=_first_tokens(read_json(folder / "tokenizer.json")),
        stop_tokens=_stop_tokens(folder),
        chat=_chat(folder),
    )
    return ServedModel(name or folder.resolve().name, model, codec)


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _stop_tokens(folder: Path) -> list[int]:
    for file in ("generation_config.json", "config.json"):
        ends = _read(folder / file).get("eos_token_id")
        if ends is not None:
            return [ends] if isinstance(ends, int) else list(ends)
    return []


def _first_tokens(tokenizer: Mapping[str, Any]) -> list[int]:
    """Return what the file's template puts before a text: ``<s>`` or ``<|begin_of_text|>``, in many models."""
    given = tokenizer.get("post_processor") or {}
    for step in given.get("processors", [given]):
        if step.get("type") == "TemplateProcessing":
            first: list[int] = []
            for part in step["single"]:
                if "SpecialToken" not in part:
                    return first
                first += step["special_tokens"][part["SpecialToken"]["id"]]["ids"]
    return []


def _chat(folder: Path) -> JinjaChat | None:
    config = _read(folder / "tokenizer_config.json")
    template = config.get("chat_template")
    if (folder / "chat_template.jinja").is_file():
        template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    if isinstance(template, list):  # several by name
        template = {one["name"]: one["template"] for one in template}.get("default")
    if template is None:
        return None
    names = {name: config.get(name) for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    spelt = {name: token["content"] if isinstance(token, dict) else token for name, token in names.items() if token}
    return JinjaChat(template, special_tokens=spelt)
