"""Sends signals to the numbers that its parents have for the grader, and to whole groups."""

POINTS = 0
HURTS = True
BOUNDS = "a hundred signals"
FIRST = """\
import os
import signal

for number in (0, -os.getpgrp(), os.getppid(), -os.getppid()):
    for kind in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGQUIT):
        try:
            signal.signal(kind, signal.SIG_IGN)
            os.kill(number, kind)
        except OSError:
            pass
"""
