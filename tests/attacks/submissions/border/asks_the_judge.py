"""Questions to the judge: its names, its modules, and what stands behind the function that the test passes."""

POINTS = 0
HURTS = False
BOUNDS = "a dozen small frames"
ANSWERS = {
    "twice": """\
from llmcourse.grading.border.wire import read_frame, write_frame


def twice(function, value):
    agent = get_ipython().kernel.agent
    hand = ["o", 1]
    asked = [
        ("names", [["l", "seen", "hidden"], ["l"], ["l"]]),
        ("call", [["I", "builtins", "eval"], "seen.extend([2, 6])"]),
        ("call", [["I", "os", "system"], "true"]),
        ("get", [hand, "__globals__"]),
        ("get", [hand, "__code__"]),
        ("set", [hand, "__code__", 3]),
        ("op", [hand, "__getattribute__", "__globals__"]),
        ("isinstance", [hand, ["I", "builtins", "object"]]),
    ]
    for number, (verb, body) in enumerate(asked):
        write_frame(agent._channel, {"q": 1000 + number, "v": verb, "b": [body, {}]}, [], None)
        answer, _ = read_frame(agent._channel, agent.limits, None)
        print(answer)
    return 18
"""
}
