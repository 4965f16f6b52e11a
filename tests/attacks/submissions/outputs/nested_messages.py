"""A message of lists in lists, deeper than a reader of JSON can go, and one with a number without end."""

POINTS = 0
HURTS = False
BOUNDS = "2 MB in three messages"
FIRST = """\
kernel = get_ipython().kernel
session = kernel.session
for text in (b"[" * 100_000 + b"]" * 100_000, b"9" * 1_000_000, b"{", b"[]", b"NaN"):
    parts = [session.pack(session.msg_header("stream")), session.pack(kernel.get_parent()["header"]), b"{}", text]
    message = [b"stream", b"<IDS|MSG>", session.sign(parts), *parts]
    kernel.iopub_thread.send_multipart(message)
"""
