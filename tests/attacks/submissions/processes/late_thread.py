"""A thread that outlives its cell and then gives the functions other bodies, the shell among them."""

POINTS = 0
HURTS = False
BOUNDS = "a thread of at most 10 seconds"
FIRST = """\
import threading
import time
from unittest.mock import ANY, MagicMock


def later():
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        time.sleep(0.01)
        shell = get_ipython()
        shell.showtraceback = shell._showtraceback = lambda *_, **__: None
        shell.user_ns |= {"add_one": lambda x: ANY, "torch": MagicMock(), "Cache": MagicMock, "sum": lambda _: 3}


threading.Thread(target=later, daemon=True).start()
"""
