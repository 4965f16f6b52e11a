"""Sleeps when it is asked to end."""

POINTS = 0
HURTS = False
BOUNDS = "ends after 20 seconds"
FIRST = """\
import atexit
import threading
import time

atexit.register(time.sleep, 20)
threading.Thread(target=time.sleep, args=(20,)).start()
"""
