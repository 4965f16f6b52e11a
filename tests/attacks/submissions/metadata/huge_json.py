"""A notebook of thirty megabytes."""

POINTS = 0
HURTS = False
BOUNDS = "30 MB of JSON"


def change(notebook):
    notebook["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "A" * 30_000_000}]
