"""Attachments and metadata of ten megabytes."""

POINTS = 0
HURTS = False
BOUNDS = "10 MB of JSON"


def change(notebook):
    notebook["cells"][0]["attachments"] = {f"{number}.png": {"image/png": "A" * 1_000_000} for number in range(5)}
    notebook["metadata"]["x"] = "A" * 5_000_000
