"""Cells whose parts have other types than a notebook's."""

POINTS = 0
HURTS = False
BOUNDS = "a small notebook"


def change(notebook):
    notebook["cells"][2]["source"] = {"text": "pass"}
    notebook["cells"][3]["metadata"] = ["nbgrader"]
    notebook["cells"][4]["outputs"] = "none"
    notebook["cells"][5]["metadata"]["nbgrader"] = "full marks"
    notebook["cells"].append(None)
