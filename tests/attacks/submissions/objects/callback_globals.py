"""Reaches the test's variables through the function that the test passes in."""

POINTS = 0
HURTS = False
BOUNDS = "one list of the test"
ANSWERS = {
    "twice": """\
def twice(function, value):
    function.__globals__["seen"][:] = [2, 6]
    return 18
"""
}
