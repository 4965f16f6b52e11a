"""A second notebook that nobody asked for, with marks for everything."""

POINTS = 0
HURTS = False
BOUNDS = "one small notebook"
FILES = {
    "bonus.ipynb": """\
{"cells": [{"cell_type": "code", "execution_count": 1, "id": "a", "outputs": [], "source": "print('ESC' 'APED')",
 "metadata": {"nbgrader": {"grade": true, "solution": false, "locked": true, "points": 99, "grade_id": "test_add_one",
 "schema_version": 3, "task": false}}}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""
}
