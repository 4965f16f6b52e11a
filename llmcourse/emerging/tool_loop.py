"""The loop of an agent: the model writes, a call in what it wrote is run, and the result goes back to the model."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Message", "ToolCall", "find_tool_call", "shorten", "tool_loop"]

Message = dict[str, str]
"""``role``, which is system, user, assistant or tool, and ``content``."""

_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)


@dataclass(frozen=True)
class ToolCall:
    """What a model wants to be run.

    Attributes:
        name: Of a tool.
        arguments: As read from JSON; not yet checked.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


def find_tool_call(reply: str) -> tuple[ToolCall, str] | None:
    r"""Find the first call in a reply, between the marks that Hermes and Qwen models are trained on.

    Args:
        reply: What the model wrote.

    Returns:
        The call, and the reply up to its end; None where there is none. What a model writes after a call is dropped:
        it cannot know the result yet, and what it makes up would stand there like one.

    Raises:
        ValueError: There is a call that is not JSON of the right form, or one that never ends.

    Example:
        >>> reply = 'Let me see. <tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call> The result is 7.'
        >>> find_tool_call(reply)[0]
        ToolCall(name='add', arguments={'a': 1})
        >>> find_tool_call("The answer is 7.") is None
        True
    """
    found = _CALL.search(reply)
    if found is None:
        if "<tool_call>" in reply:
            raise ValueError("the call does not end: write <tool_call>, one JSON object, </tool_call>")
        return None
    try:
        call: Any = json.loads(found[1])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the call is not JSON ({error}): {shorten(found[1].strip(), 80)}") from None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str) or set(call) - {"name", "arguments"}:
        raise ValueError('a call is {"name": "...", "arguments": {...}} and nothing else')
    arguments = call.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError(f"arguments are {arguments!r}: give an object")
    return ToolCall(call["name"], arguments), reply[: found.end()]


def shorten(text: str, max_chars: int) -> str:
    """Cut a text that is too long, and say so at its end.

    Args:
        text: Any text.
        max_chars: What may stay; the note comes on top.

    Returns:
        The text, or its beginning and how much was cut.

    Example:
        >>> shorten("abcdef", 4)
        'abcd [2 characters cut]'
    """
    return text if len(text) <= max_chars else f"{text[:max_chars]} [{len(text) - max_chars} characters cut]"


def tool_loop(
    model: Callable[[Sequence[Message]], str],
    run_call: Callable[[ToolCall], str],
    messages: Sequence[Message],
    max_steps: int,
    max_chars: int,
) -> tuple[str | None, list[Message]]:
    """Let the model write and calls be run, until it answers without a call or its steps are used up.

    ReAct (Yao et al. 2022, arXiv:2210.03629) is this loop. Nothing makes a model stop asking, so the number of steps
    is limited here, and the length of a result, which it has to read. A call that fails is no end: the model is told
    why and may mend it. Only what the model itself wrote is looked through for calls, never what a tool returned.

    Args:
        model: From the conversation to the next reply.
        run_call: Runs a call and returns its result; a ValueError is shown to the model.
        messages: The conversation so far; it is not changed.
        max_steps: How often the model may write.
        max_chars: A longer result is cut.

    Returns:
        The answer, or None where the steps did not suffice, and the whole conversation.

    Raises:
        ValueError: A limit is below 1.

    Example:
        >>> def model(messages):
        ...     if messages[-1]["role"] == "tool":
        ...         return f"It is {messages[-1]['content']}."
        ...     return '<tool_call>{"name": "double", "arguments": {"n": 21}}</tool_call>'
        >>> answer, messages = tool_loop(model, lambda call: str(2 * call.arguments["n"]),
        ...                              [{"role": "user", "content": "Twice 21?"}], max_steps=4, max_chars=100)
        >>> answer, [message["role"] for message in messages]
        ('It is 42.', ['user', 'assistant', 'tool', 'assistant'])
    """
    if max_steps < 1 or max_chars < 1:
        raise ValueError(f"max_steps is {max_steps}, max_chars {max_chars}: give limits of at least 1")
    messages = list(messages)
    for _ in range(max_steps):
        reply = model(messages)
        try:
            found = find_tool_call(reply)
            if found is None:
                return reply, [*messages, {"role": "assistant", "content": reply}]
            call, reply = found
            result = run_call(call)
        except ValueError as error:
            result = f"Error: {error}"
        messages = [*messages, {"role": "assistant", "content": reply}]
        messages = [*messages, {"role": "tool", "content": shorten(result, max_chars)}]
    return None, messages
