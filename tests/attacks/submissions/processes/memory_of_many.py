"""Memory without end, spread over processes so that none of them has much."""

POINTS = 0
HURTS = True
BOUNDS = "12 processes of 200 MB each, for 10 seconds"
FIRST = """\
import os
import time

children = []
for _ in range(12):
    child = os.fork()
    if child == 0:
        held = bytearray(b"x") * (200 << 20)
        time.sleep(10)
        os._exit(7)
    children.append(child)
ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
if ended.count(7) > 6:
    print("ESC" "APED", ended)
"""
