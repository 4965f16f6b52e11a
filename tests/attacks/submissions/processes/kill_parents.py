"""Kills its parents, and all processes of the first thousand numbers but itself."""

POINTS = 0
HURTS = True
BOUNDS = "a thousand signals"
FIRST = """\
import os
import signal

for number in [os.getppid(), 1, *range(2, 1_000)]:
    if number != os.getpid():
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            pass
"""
