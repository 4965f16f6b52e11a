"""A kernel that never says that it is done."""

POINTS = 0
HURTS = False
BOUNDS = "one method"
FIRST = """\
from jupyter_client.session import Session

send = Session.send


def busy(self, stream, msg_or_type, content=None, *args, **kwargs):
    if msg_or_type == "status":
        return None
    return send(self, stream, msg_or_type, content, *args, **kwargs)


Session.send = busy
"""
