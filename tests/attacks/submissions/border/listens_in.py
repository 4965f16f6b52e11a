"""A thread that reads what the judge asks, and answers before the function could."""

POINTS = 0
HURTS = False
BOUNDS = "a thread of at most 10 seconds"
FIRST = """\
import threading
import time

from llmcourse.grading.border.wire import read_frame, write_frame

agent = get_ipython().kernel.agent


def listen():
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        question, _ = read_frame(agent._channel, agent.limits, None)
        print(question)
        write_frame(agent._channel, {"r": question.get("q"), "b": ["i", "2"]}, [], None)


threading.Thread(target=listen, daemon=True).start()
"""
