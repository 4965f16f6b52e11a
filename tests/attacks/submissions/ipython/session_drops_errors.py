"""A session that sends no error messages, and turns replies into good ones."""

POINTS = 0
HURTS = False
BOUNDS = "one method of the session"
FIRST = """\
from jupyter_client.session import Session

send = Session.send


def quiet(self, stream, msg_or_type, content=None, *args, **kwargs):
    if msg_or_type == "error":
        return None
    if msg_or_type == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    return send(self, stream, msg_or_type, content, *args, **kwargs)


Session.send = quiet
"""
