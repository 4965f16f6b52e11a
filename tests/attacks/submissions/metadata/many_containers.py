"""Half a million empty lists, which cost a reader far more than their bytes."""

POINTS = 0
HURTS = False
BOUNDS = "2 MB of JSON"


def change(notebook):
    notebook["metadata"]["x"] = [[] for _ in range(500_000)]
