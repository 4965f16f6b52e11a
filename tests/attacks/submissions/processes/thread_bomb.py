"""Threads without end."""

POINTS = 0
HURTS = True
BOUNDS = "1,000 threads, each asleep for 10 seconds"
FIRST = """\
import threading
import time

started = 0
for _ in range(1_000):
    try:
        threading.Thread(target=time.sleep, args=(10,), daemon=True).start()
        started += 1
    except RuntimeError:
        break
if started > 100:
    print("ESC" "APED", started)
"""
