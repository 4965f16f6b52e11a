"""An agent of its own that answers every question with True, twice, and those to come as well."""

POINTS = 0
HURTS = False
BOUNDS = "100 small frames a question"
FIRST = """\
from llmcourse.grading.border.wire import read_frame, write_frame

agent = get_ipython().kernel.agent


def serve():
    while True:
        question, _ = read_frame(agent._channel, agent.limits, None)
        if question.get("v") == "leave":
            return
        for number in range(question["q"], question["q"] + 50):
            write_frame(agent._channel, {"r": number, "b": True}, [], None)
            write_frame(agent._channel, {"r": number, "b": True}, [], None)


agent.serve = serve
"""
