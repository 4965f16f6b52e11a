"""A value shown before each test fails."""

POINTS = 0
HURTS = False
BOUNDS = "one output a cell"
ASSIGNMENT = "01_tokenization"
FIRST = """\
shell = get_ipython()
show = shell._showtraceback


def shown(*args):
    shell.displayhook("x")
    show(*args)


shell._showtraceback = shown
"""
