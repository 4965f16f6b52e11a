"""Outputs of a failed test are cleared away by the code itself, error and all."""

POINTS = 0
HURTS = False
BOUNDS = "one message a cell"
FIRST = """\
from IPython.display import clear_output

shell = get_ipython()
show = shell._showtraceback


def shown(*args):
    show(*args)
    clear_output()


shell._showtraceback = shown
"""
