"""Stops itself for ever, so that it neither answers nor ends."""

POINTS = 0
HURTS = True
BOUNDS = "one signal"
FIRST = "import os\nimport signal\n\nos.kill(os.getpid(), signal.SIGSTOP)\n"
