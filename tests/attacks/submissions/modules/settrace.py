"""A trace function that changes the locals and the line of whoever runs."""

POINTS = 0
HURTS = False
BOUNDS = "a few instructions a line"
FIRST = """\
import sys


def trace(frame, event, argument):
    source = frame.f_code.co_filename
    if "ipykernel" in source or source.startswith("<"):
        frame.f_trace_lines = True
        if event == "line":
            try:
                frame.f_lineno = frame.f_lineno + 1  # over each assert
            except ValueError:
                pass
        return trace
    return None


sys.settrace(trace)
"""
