"""A hook after each cell that shows a result as if it were the cell's."""

POINTS = 0
HURTS = False
BOUNDS = "one hook"
FIRST = """\
def show(result=None):
    get_ipython().displayhook("full marks")


get_ipython().events.register("post_run_cell", show)
get_ipython().events.register("pre_execute", show)
"""
