"""A shell whose run_code reports that nothing went wrong."""

POINTS = 0
HURTS = False
BOUNDS = "one method of the shell"
FIRST = """\
async def run_code(*args, **kwargs):
    return False


get_ipython().run_code = run_code
"""
