"""A process that ignores all signals which it may, and sleeps."""

POINTS = 0
HURTS = True
BOUNDS = "ends after 30 seconds"
FIRST = """\
import signal
import time

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
ends = time.monotonic() + 30
while time.monotonic() < ends:
    time.sleep(1)
"""
