"""Five thousand cells that print."""

POINTS = 0
HURTS = False
BOUNDS = "5,000 cells"


def change(notebook):
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": ""}
    notebook["cells"] += [dict(cell) for _ in range(5_000)]
