"""A link to another student's folder in the place of one's own."""

import shutil

POINTS = 0
HURTS = False
BOUNDS = "one link"


def beside(folder):
    shutil.rmtree(folder)
    folder.symlink_to(folder.parents[1] / "00-honest" / "attacks")
