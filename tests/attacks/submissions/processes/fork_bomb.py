"""Processes that start processes."""

POINTS = 0
HURTS = True
BOUNDS = "400 processes, each asleep for 10 seconds"
FIRST = """\
import os
import time

started = 0
for _ in range(400):
    try:
        if os.fork() == 0:
            time.sleep(10)
            os._exit(0)
        started += 1
    except OSError:
        break
if started > 100:
    print("ESC" "APED", started)
"""
