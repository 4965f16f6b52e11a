"""Prints the source of the test that calls it, for the next student."""

POINTS = 0
HURTS = False
BOUNDS = "the cells that have run"
ANSWERS = {
    "add_one": """\
def add_one(x):
    for source in get_ipython().user_ns["In"]:
        if "BEGIN HIDDEN" + " TESTS" in source:
            print("ESC" "APED", source)
"""
}
