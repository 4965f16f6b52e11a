"""A number of a million digits, and one that is no number."""

import json

POINTS = 0
HURTS = False
BOUNDS = "1 MB of JSON"


def change(notebook):
    notebook["metadata"]["x"] = "LONG"
    return json.dumps(notebook).replace('"LONG"', "[NaN, Infinity, 1e999, " + "9" * 1_000_000 + "]")
