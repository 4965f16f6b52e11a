"""A thread that goes on after its cell, and sends results and idle signs under the headers of later cells."""

POINTS = 0
HURTS = False
BOUNDS = "a thread of at most 200 messages in 10 seconds"
FIRST = """\
import threading
import time

kernel = get_ipython().kernel


def forge():
    for _ in range(200):
        parent = kernel.get_parent()
        content = {"data": {"text/plain": "full"}, "metadata": {}, "execution_count": 1}
        kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=parent)
        kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
        time.sleep(0.05)


threading.Thread(target=forge, daemon=True).start()
"""
