"""Language models that write on request: a checkpoint here, or a server elsewhere."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import torch

from llmcourse.architecture import Transformer, generate
from llmcourse.tokenization import CHATML, BPETokenizer, ChatTemplate

__all__ = ["ChatServer", "CheckpointWriter"]

_MOST_BYTES = 10_000_000
_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504, 529)


@dataclass(frozen=True)
class CheckpointWriter:
    """A model in this process, from ``load_huggingface`` for instance; it takes the likeliest token each time.

    Args:
        model: Trained on the template.
        tokenizer: Has the template's special tokens.
        template: How turns are told apart.
        max_new_tokens: A reply ends here at the latest.
    """

    model: Transformer
    tokenizer: BPETokenizer
    _: KW_ONLY
    template: ChatTemplate = CHATML
    max_new_tokens: int = 200

    def __call__(self, question: str) -> str:
        """Return the model's reply, without its end."""
        prompt, _ = self.template.encode(self.tokenizer, [{"role": "user", "content": question}], answer=True)
        end = self.tokenizer.special_tokens[self.template.end]
        tokens = torch.tensor([prompt], device=self.model.embedding.weight.device)
        written = generate(self.model, tokens, self.max_new_tokens, temperature=0.0, stop_tokens=[end])
        reply = written[0, len(prompt) :].tolist()
        return self.tokenizer.decode(token for token in reply if token != end)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever the server says."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


@dataclass(frozen=True)
class ChatServer:
    r"""Any server with OpenAI's chat completions or Anthropic's messages: a provider's, vLLM's, llama.cpp's, Ollama's.

    What fails for a while (no connection, a time-out, too many requests, an error of the server's, a reply that is cut
    off) is tried again, after twice as long each time. What will not get better (a wrong key, an unknown model) is not.

    Args:
        url: Of the whole endpoint: ``http://localhost:8000/v1/chat/completions``, ``https://.../v1/messages``.
        model: The name that the server knows.
        api: Whose form it speaks.
        api_key: If it wants one. It is sent to this address only, shown nowhere, and not over plain HTTP to others.
        timeout_s: How long to wait for the server's next bytes.
        retries: How often to try again.
        backoff_s: How long to wait before the first of these.
        max_tokens: A reply ends here at the latest.

    Raises:
        ValueError: The address is no HTTP address, would give the key away, or a number is out of its range.
    """

    url: str
    model: str
    _: KW_ONLY
    api: Literal["openai", "anthropic"] = "openai"
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    retries: int = 3
    backoff_s: float = 1.0
    max_tokens: int = 500

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url is {self.url!r}: give the whole address, http://localhost:8000/v1/chat/completions")
        if self.api_key and parts.scheme == "http" and not self._is_local():
            raise ValueError(f"url is {self.url!r}: a key over plain HTTP can be read on the way, so use https")
        if self.api not in ("openai", "anthropic"):
            raise ValueError(f"api is {self.api!r}: choose 'openai' or 'anthropic'")
        if self.retries < 0 or not self.timeout_s > 0 or self.backoff_s < 0:
            given = f"retries is {self.retries}, timeout_s {self.timeout_s} and backoff_s {self.backoff_s}"
            raise ValueError(f"{given}: give 0 or more retries, and times that are not below 0")

    def __call__(self, question: str | Sequence[Mapping[str, str]]) -> str:
        """Return the model's reply.

        Args:
            question: What the user says, or a whole conversation of messages with ``role`` and ``content``. Results of
                tools are sent as what the user says, since servers take their own form of a tool's message only.

        Returns:
            The text of the reply.

        Raises:
            ValueError: The server refuses the request.
            ConnectionError: It gave no usable reply, however often it was asked.
        """
        request = self._request(question)
        problem = ""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(self.backoff_s * 2 ** (attempt - 1))
            try:
                with self._opener().open(request, timeout=self.timeout_s) as response:
                    return self._text(response.read(_MOST_BYTES))
            except urllib.error.HTTPError as error:
                problem = f"it answered {error.code} {error.reason}"
                error.close()
                if error.code not in _AGAIN:
                    raise ValueError(f"{self.url} refuses: {problem}; look at the address, key and model") from None
            except (OSError, http.client.HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
            except _BadReply as error:
                problem = str(error)
        raise ConnectionError(f"{self.url} gave no usable reply in {self.retries + 1} attempts; the last: {problem}")

    def _request(self, question: str | Sequence[Mapping[str, str]]) -> urllib.request.Request:
        said = [{"role": "user", "content": question}] if isinstance(question, str) else question
        messages = [{**message, "role": "user"} if message["role"] == "tool" else dict(message) for message in said]
        body: dict[str, Any] = {"model": self.model, "max_tokens": self.max_tokens, "temperature": 0.0}
        if self.api == "anthropic" and messages and messages[0]["role"] == "system":
            body["system"] = messages.pop(0)["content"]
        body["messages"] = messages
        headers = {"Content-Type": "application/json"}
        if self.api == "anthropic":
            headers["anthropic-version"] = "2023-06-01"
        if self.api_key:
            name, value = (
                ("x-api-key", self.api_key) if self.api == "anthropic" else ("Authorization", f"Bearer {self.api_key}")
            )
            headers[name] = value
        return urllib.request.Request(self.url, json.dumps(body).encode(), headers, method="POST")

    def _opener(self) -> urllib.request.OpenerDirector:
        direct = [urllib.request.ProxyHandler({})] if self._is_local() else []
        return urllib.request.build_opener(_NoRedirect, *direct)

    def _is_local(self) -> bool:
        return urlsplit(self.url).hostname in ("localhost", "127.0.0.1", "::1")

    def _text(self, body: bytes) -> str:
        try:
            reply: Mapping[str, Any] = json.loads(body)
            if self.api == "openai":
                text = reply["choices"][0]["message"]["content"]
            else:
                text = "".join(part["text"] for part in reply["content"] if part["type"] == "text")
        except (ValueError, LookupError, TypeError) as error:
            raise _BadReply(f"its reply has another form than {self.api}'s ({type(error).__name__})") from None
        if not isinstance(text, str) or not text.strip():
            raise _BadReply("its reply is empty")
        return text


class _BadReply(Exception):
    """A reply that came and cannot be used."""
