"""A result that is sent under the test cell's header before the test fails."""

POINTS = 0
HURTS = False
BOUNDS = "one message a cell"
FIRST = """\
kernel = get_ipython().kernel
run = kernel.do_execute


async def do_execute(*args, **kwargs):
    content = {"data": {"text/plain": "full"}, "metadata": {}, "execution_count": 1}
    kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent())
    return await run(*args, **kwargs)


kernel.do_execute = do_execute
"""
