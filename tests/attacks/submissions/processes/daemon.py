"""A process that leaves its session and parent behind, and writes a file long after its cell."""

POINTS = 0
HURTS = True
BOUNDS = "one process of 20 seconds"
FIRST = """\
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(20)
        try:
            os.close(os.open("@MARK@", os.O_CREAT))
        finally:
            os._exit(0)
    os._exit(0)
"""
