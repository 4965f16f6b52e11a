"""Halves of characters in source, names and metadata, which no file can hold."""

POINTS = 0
HURTS = False
BOUNDS = "a few characters"
FIRST = "print('\ud800')\n"


def change(notebook):
    notebook["metadata"]["\udfff"] = "\ud800"
    notebook["cells"][1]["metadata"]["name"] = "\udcff"
