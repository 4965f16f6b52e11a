"""A file that is no text at all."""

POINTS = 0
HURTS = False
BOUNDS = "a few bytes"


def change(notebook):
    return "\ud800\udfff\x00{"
