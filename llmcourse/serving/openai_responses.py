"""Answers in the JSON of OpenAI's API: whole, piece by piece, or why there is none."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from llmcourse.serving.openai_requests import Ask

__all__ = ["AnswerForm", "error_body"]

Reason = Literal["stop", "length"]


def error_body(message: str, *, kind: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """Return what a client gets in place of an answer.

    Args:
        message: What to do about it.
        kind: ``"invalid_request_error"``, for instance.
        param: The field that is wrong.
        code: A short name.

    Returns:
        An object with one key, ``error``.
    """
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass
class AnswerForm:
    r"""The form of one answer, of which only text, reason and numbers are still to come.

    Attributes:
        ask: What was asked.
        model: The model's name.
        answer_id: Different for each.
        created: Seconds since 1970.

    Example:
        >>> from llmcourse.inference import SamplingParams
        >>> form = AnswerForm(Ask(prompt=[1, 2], params=SamplingParams(), chat=True), "small")
        >>> whole = form.whole("eggs", "stop", n_new=1)
        >>> whole["choices"][0]["message"], whole["usage"]["total_tokens"]
        ({'role': 'assistant', 'content': 'eggs'}, 3)
    """

    ask: Ask
    model: str
    answer_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, text: str, reason: Reason, *, n_new: int) -> dict[str, Any]:
        """Return a complete answer."""
        said = {"message": {"role": "assistant", "content": text}} if self.ask.chat else {"text": text}
        return self._envelope([self._choice(said, reason)]) | {"usage": self._usage(n_new)}

    def opening(self) -> dict[str, Any] | None:
        """Return what a stream begins with before there is any text: the role, in a conversation."""
        if not self.ask.chat:
            return None
        return self._envelope([self._choice({"delta": {"role": "assistant", "content": ""}}, None)], chunk=True)

    def piece(self, text: str, reason: Reason | None) -> dict[str, Any]:
        """Return a piece of a stream; the last one says why it is the last."""
        said = {"delta": {"content": text} if text else {}} if self.ask.chat else {"text": text}
        return self._envelope([self._choice(said, reason)], chunk=True)

    def usage(self, *, n_new: int) -> dict[str, Any]:
        """Return what a stream ends with, where it was asked for."""
        return self._envelope([], chunk=True) | {"usage": self._usage(n_new)}

    def _envelope(self, choices: list[dict[str, Any]], *, chunk: bool = False) -> dict[str, Any]:
        chat = self.ask.chat
        kind = f"chat.completion{'.chunk' if chunk else ''}" if chat else "text_completion"
        answer_id = f"{'chatcmpl' if chat else 'cmpl'}-{self.answer_id}"
        return {"id": answer_id, "object": kind, "created": self.created, "model": self.model, "choices": choices}

    def _choice(self, said: dict[str, Any], reason: Reason | None) -> dict[str, Any]:
        return {"index": 0, **said, "logprobs": None, "finish_reason": reason}

    def _usage(self, n_new: int) -> dict[str, int]:
        n_prompt = len(self.ask.prompt)
        return {"prompt_tokens": n_prompt, "completion_tokens": n_new, "total_tokens": n_prompt + n_new}
