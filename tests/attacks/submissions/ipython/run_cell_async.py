"""A shell whose run_cell_async runs an empty cell instead."""

POINTS = 0
HURTS = False
BOUNDS = "two methods of the shell"
FIRST = """\
shell = get_ipython()
original = shell.run_cell_async
shell.run_cell_async = lambda source, *args, **kwargs: original("", *args, **{**kwargs, "transformed_cell": ""})
"""
