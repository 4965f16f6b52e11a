"""Messages whose parts have types that no client expects."""

POINTS = 0
HURTS = False
BOUNDS = "some small messages"
FIRST = """\
kernel = get_ipython().kernel
odd = [None, 3, "text", [], {"data": 3}, {"name": [], "text": {}}, {"data": {"text/plain": {}}}]
odd.append({"execution_state": []})
for kind in ("stream", "error", "execute_result", "display_data", "status", "clear_output", "comm_open", 3):
    for content in odd:
        message = kernel.session.msg("stream", {}, parent=kernel.get_parent())
        message["content"] = content
        message["header"]["msg_type"] = message["msg_type"] = kind
        kernel.session.send(kernel.iopub_socket, message)
reply = {"status": ["ok"], "execution_count": "many", "payload": 3}
kernel.session.send(kernel.shell_stream.socket, "execute_reply", reply, parent=kernel.get_parent())
"""
