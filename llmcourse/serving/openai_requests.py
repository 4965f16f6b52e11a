"""What a client asks for, read from the JSON of OpenAI's API and checked; what would be ignored is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from llmcourse.inference import SamplingParams
from llmcourse.serving.text_codec import TextCodec

__all__ = ["Ask", "BadRequest", "read_chat", "read_completion"]

# Fields that change nothing about the answer.
_WITHOUT_EFFECT = {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}
# Fields of things that this server does not do, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (None, 1),
    "best_of": (None, 1),
    "echo": (None, False),
    "suffix": (None, ""),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "parallel_tool_calls": (None, True, False),
    "response_format": (None, {"type": "text"}),
}
_READ = {"model", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "stream", "stream_options", "max_tokens"}


class BadRequest(ValueError):
    r"""A request that cannot be served as it is.

    Args:
        message: What to do about it.
        param: The field.
        code: A short name, where OpenAI's API has one.
    """

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param, self.code = param, code


@dataclass(frozen=True)
class Ask:
    r"""A request that was understood.

    Attributes:
        prompt: Ids.
        params: How tokens are chosen.
        stop: Sequences of characters that end the answer.
        stream: Send the answer piece by piece.
        include_usage: Say at the end of a stream how many tokens it took.
        chat: It is a conversation.
    """

    _: KW_ONLY
    prompt: list[int]
    params: SamplingParams
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    chat: bool = False


def read_completion(body: Mapping[str, Any], codec: TextCodec, *, max_context: int) -> Ask:
    r"""Read a request to continue a text, of which 16 tokens are written unless it says otherwise.

    Args:
        body: The JSON object.
        codec: The model's.
        max_context: Tokens of prompt and answer together.

    Returns:
        What is asked.

    Raises:
        BadRequest: A field is missing, wrong, or asks for what there is not.

    Example:
        >>> from llmcourse.serving.text_codec import WordCodec
        >>> codec = WordCodec(["<pad>", ":", ".", "eggs"], stop=".", prompt_end=":")
        >>> ask = read_completion({"model": "m", "prompt": "eggs :", "max_tokens": 3}, codec, max_context=32)
        >>> ask.prompt, ask.params.max_new_tokens, ask.params.stop_tokens
        ([3, 1], 3, (2,))
    """
    _check_fields(body, {"prompt"})
    given = body.get("prompt")
    prompt = given[0] if isinstance(given, list) and len(given) == 1 and not isinstance(given[0], int) else given
    if isinstance(prompt, str):
        tokens = _encode(codec.encode, prompt, "prompt")
    elif isinstance(prompt, list) and all(isinstance(token, int) for token in prompt):
        tokens = list(prompt)
    else:
        raise BadRequest("prompt has to be one text, or one list of tokens", param="prompt")
    return _ask(body, codec, tokens, _integer(body, "max_tokens", 16), max_context=max_context, chat=False)


def read_chat(body: Mapping[str, Any], codec: TextCodec, *, max_context: int) -> Ask:
    r"""Read a request to answer in a conversation, for which all the room there is may be used.

    Args:
        body: The JSON object.
        codec: The model's.
        max_context: Tokens of prompt and answer together.

    Returns:
        What is asked.

    Raises:
        BadRequest: A field is missing, wrong, or asks for what there is not.
    """
    _check_fields(body, {"messages", "max_completion_tokens"})
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages has to be a list of at least one message", param="messages")
    tokens = _encode(codec.encode_chat, [_message(message) for message in messages], "messages")
    name = "max_tokens" if body.get("max_completion_tokens") is None else "max_completion_tokens"
    n_new = _integer(body, name, max(1, max_context - len(tokens)))
    return _ask(body, codec, tokens, n_new, max_context=max_context, chat=True)


def _ask(
    body: Mapping[str, Any], codec: TextCodec, prompt: list[int], n_new: int | None, *, max_context: int, chat: bool
) -> Ask:
    assert n_new is not None
    if not prompt:
        raise BadRequest("the prompt is empty: there is nothing to go on from", param="messages" if chat else "prompt")
    if len(prompt) + n_new > max_context:
        raise BadRequest(
            f"{len(prompt)} tokens of prompt and {n_new} new ones are more than this model's {max_context}: "
            "shorten the prompt, or ask for fewer",
            param="messages" if chat else "prompt",
            code="context_length_exceeded",
        )
    numbers = {name: _number(body, name) for name in ("temperature", "top_p", "min_p")}
    top_k, seed = _integer(body, "top_k", None), _integer(body, "seed", None)
    try:
        params = SamplingParams(
            max_new_tokens=n_new,
            temperature=1.0 if numbers["temperature"] is None else numbers["temperature"],
            top_p=numbers["top_p"],
            min_p=numbers["min_p"],
            top_k=top_k,
            seed=seed,
            stop_tokens=codec.stop_tokens,
        )
    except ValueError as error:
        raise BadRequest(str(error)) from error
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise BadRequest(f"stream_options is {options!r}: give an object", param="stream_options")
    return Ask(
        prompt=prompt,
        params=params,
        stop=_stop(body),
        stream=_flag(body, "stream"),
        include_usage=_flag(options, "include_usage"),
        chat=chat,
    )


def _check_fields(body: Mapping[str, Any], more: set[str]) -> None:
    for name, value in body.items():
        if name in _NEUTRAL:
            if value not in _NEUTRAL[name]:
                raise BadRequest(f"{name} is {value!r}, which this server does not do: leave it out", param=name)
        elif name not in _READ | _WITHOUT_EFFECT | more:
            raise BadRequest(f"there is no field {name!r}: leave it out", param=name)


def _encode(encode: Any, given: str | Sequence[Mapping[str, str]], param: str) -> list[int]:
    try:
        return encode(given)
    except ValueError as error:
        raise BadRequest(str(error), param=param) from error


def _message(message: object) -> dict[str, str]:
    if not isinstance(message, dict) or message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
        raise BadRequest(f"message is {message!r:.200}: give an object with role and content", param="messages")
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise BadRequest("a message's content has to be text: this model reads nothing else", param="messages")
    return {"role": "system" if message["role"] == "developer" else message["role"], "content": content}


def _stop(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    sequences = [] if stop is None else [stop] if isinstance(stop, str) else stop
    if not isinstance(sequences, list) or len(sequences) > 4 or not all(isinstance(s, str) and s for s in sequences):
        raise BadRequest("stop has to be a text, or a list of at most four, none of them empty", param="stop")
    return tuple(sequences)


def _number(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadRequest(f"{name} is {value!r:.100}: give a number", param=name)
    return value


def _integer(body: Mapping[str, Any], name: str, default: int | None) -> int | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63):
        raise BadRequest(f"{name} is {value!r:.100}: give a whole number", param=name)
    return default if value is None else value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{name} is {value!r:.100}: give true or false", param=name)
    return bool(value)
