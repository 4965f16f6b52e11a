"""Lists in lists, fifty thousand deep."""

import json

POINTS = 0
HURTS = False
BOUNDS = "100 KB of JSON"


def change(notebook):
    notebook["metadata"]["x"] = "DEEP"
    return json.dumps(notebook).replace('"DEEP"', "[" * 50_000 + "]" * 50_000)
