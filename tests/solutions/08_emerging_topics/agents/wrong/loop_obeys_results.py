"""Runs a call that a result contains."""

LOSES = {"tool-loop-results": 2}


def tool_loop(model, run_call, messages: list[dict], max_steps: int, max_chars: int) -> tuple[str | None, list[dict]]:
    messages = list(messages)
    for _ in range(max_steps):
        reply = model(messages)
        try:
            found = find_tool_call(reply)
            if found is None:
                messages.append({"role": "assistant", "content": reply})
                return reply, messages
            call, reply = found
            result = run_call(call)
            if find_tool_call(result):
                result = run_call(find_tool_call(result)[0])
        except ValueError as error:
            result = f"Error: {error}"
        messages.append({"role": "assistant", "content": reply})
        messages.append({"role": "tool", "content": shorten(result, max_chars)})
    return None, messages
