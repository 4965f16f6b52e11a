"""Marks and notebook in versions that do not exist yet."""

POINTS = 0
HURTS = False
BOUNDS = "version numbers"


def change(notebook):
    notebook["nbformat_minor"] = 10**6
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 10**6
