"""Limits without end and a chosen seed, in the notebook's own metadata."""

POINTS = 0
HURTS = False
BOUNDS = "runs 20 seconds where nothing stops it"
ANSWERS = {"add_one": "import time\n\ntime.sleep(20)\nprint('ESC' 'APED')\n"}


def change(notebook):
    limits = {"cell_s": 1e9, "total_s": 1e9, "cpu_s": 1e9, "memory_bytes": 2**50, "processes": 10**6}
    notebook["metadata"]["llmcourse"] = {"limits": limits, "seed": 0, "remarks": [], "repairs": "none"}
