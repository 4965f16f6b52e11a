"""A shell that shows no errors."""

POINTS = 0
HURTS = False
BOUNDS = "two methods of the shell"
FIRST = """\
shell = get_ipython()
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = lambda *_, **__: None
"""
