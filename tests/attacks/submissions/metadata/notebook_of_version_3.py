"""A notebook in the format of 2014, which is converted when it is read."""

import json

POINTS = 0
HURTS = False
BOUNDS = "a small notebook"


def change(notebook):
    cells = [
        {
            "cell_type": "code",
            "language": "python",
            "input": cell["source"],
            "outputs": [],
            "metadata": cell["metadata"],
        }
        for cell in notebook["cells"]
    ]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]})
