"""A link to the instructor's notebook in the place of one's own."""

POINTS = 0
HURTS = False
BOUNDS = "one link"


def beside(folder):
    path = folder / "steps.ipynb"
    path.unlink()
    path.symlink_to(folder.parents[2] / "solutions" / "attacks" / "steps.ipynb")
