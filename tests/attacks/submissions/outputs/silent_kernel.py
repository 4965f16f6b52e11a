"""A kernel that answers no request at all, and is alive."""

POINTS = 0
HURTS = False
BOUNDS = "sleeps 30 seconds"
FIRST = """\
import time


def stop(result=None):
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            pass


get_ipython().events.register("post_run_cell", stop)
"""
