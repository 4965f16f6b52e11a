"""Frames on the kernel's own channels that are no messages of Jupyter's, signed by nobody."""

POINTS = 0
HURTS = False
BOUNDS = "a few small frames"
FIRST = """\
kernel = get_ipython().kernel
for frames in ([b""], [b"stream", b"<IDS|MSG>"], [b"a"] * 100, [b"stream", b"<IDS|MSG>", b"0" * 64, *[b"{}"] * 4]):
    kernel.iopub_thread.send_multipart(frames)
"""
