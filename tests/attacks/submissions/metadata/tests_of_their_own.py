"""Further graded cells, worth a hundred points each, which pass."""

POINTS = 0
HURTS = False
BOUNDS = "ten cells"


def change(notebook):
    for number in range(10):
        marks = {"grade": True, "grade_id": f"extra{number}", "locked": True, "points": 100, "schema_version": 3}
        cell = {"cell_type": "code", "execution_count": None, "metadata": {"nbgrader": marks}, "outputs": []}
        notebook["cells"].append({**cell, "source": "100"} | {"metadata": {"nbgrader": marks | {"solution": False}}})
