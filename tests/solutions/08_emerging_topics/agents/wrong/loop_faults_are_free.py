"""Does not count a step that failed."""

LOSES = {"tool-loop-stops": 2}


def tool_loop(model, run_call, messages: list[dict], max_steps: int, max_chars: int) -> tuple[str | None, list[dict]]:
    messages = list(messages)
    steps = 0
    while steps < max_steps:
        steps += 1
        reply = model(messages)
        try:
            found = find_tool_call(reply)
            if found is None:
                messages.append({"role": "assistant", "content": reply})
                return reply, messages
            call, reply = found
            result = run_call(call)
        except ValueError as error:
            result = f"Error: {error}"
            steps -= 1
        messages.append({"role": "assistant", "content": reply})
        messages.append({"role": "tool", "content": shorten(result, max_chars)})
    return None, messages
