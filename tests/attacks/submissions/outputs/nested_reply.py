"""A reply to the grader's request that cannot be read, and then no other."""

POINTS = 0
HURTS = False
BOUNDS = "100 KB in a message"
FIRST = """\
kernel = get_ipython().kernel
session = kernel.session
send = type(session).send


def broken(self, stream, msg_or_type, content=None, *args, ident=None, **kwargs):
    if msg_or_type != "execute_reply":
        return send(self, stream, msg_or_type, content, *args, ident=ident, **kwargs)
    parts = [session.pack(session.msg_header("execute_reply")), session.pack(kernel.get_parent()["header"]), b"{}"]
    parts.append(b"[" * 100_000 + b"]" * 100_000)
    stream.send_multipart([*ident, b"<IDS|MSG>", session.sign(parts), *parts])


type(session).send = broken
"""
