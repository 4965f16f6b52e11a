"""A kernel that answers every request with success, and runs nothing."""

POINTS = 0
HURTS = False
BOUNDS = "one method of the kernel"
FIRST = """\
async def do_execute(*args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}


get_ipython().kernel.do_execute = do_execute
"""
