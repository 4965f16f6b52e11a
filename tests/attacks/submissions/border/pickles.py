"""Pickles in the place of values, which would run code where they are read."""

POINTS = 0
HURTS = False
BOUNDS = "one small frame a question"
FIRST = """\
from llmcourse.grading.border.wire import read_frame, write_frame

agent = get_ipython().kernel.agent
pickled = b"cbuiltins\\nopen\\n(S'@MARK@'\\nS'w'\\ntR."


def serve():
    while True:
        question, _ = read_frame(agent._channel, agent.limits, None)
        if question.get("v") == "leave":
            return
        write_frame(agent._channel, {"r": question["q"], "b": ["P", 0, []]}, [pickled], None)


agent.serve = serve
"""
