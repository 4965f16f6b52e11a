"""Test cells tagged so that they are not run."""

POINTS = 0
HURTS = False
BOUNDS = "a tag a cell"


def change(notebook):
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell"]
        cell["metadata"]["deletable"] = cell["metadata"]["editable"] = False
