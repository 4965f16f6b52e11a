"""A reply of 64 megabytes."""

POINTS = 0
HURTS = True
BOUNDS = "64 MB"
FIRST = """\
kernel = get_ipython().kernel
run = kernel.do_execute


async def do_execute(*args, **kwargs):
    return {**await run(*args, **kwargs), "user_expressions": {"x": "A" * (64 << 20)}}


kernel.do_execute = do_execute
"""
