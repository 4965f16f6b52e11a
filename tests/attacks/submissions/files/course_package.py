"""Looks for the course's package, and for nbgrader, from which the sources and the gradebook could be reached."""

POINTS = 0
HURTS = False
BOUNDS = "a few imports"
FIRST = """\
import importlib

for name in ("tokenization", "grading.autograde", "grading.release", "pretraining", "cli"):
    try:
        importlib.import_module(f"llmcourse.{name}")
        print("ESC" "APED", name)
    except ImportError:
        pass
"""
