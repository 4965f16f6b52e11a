"""A handler of all exceptions that says nothing."""

POINTS = 0
HURTS = False
BOUNDS = "one hook"
FIRST = """\
get_ipython().set_custom_exc((Exception,), lambda *_, **__: None)
get_ipython().showtraceback = lambda *_, **__: None
"""
