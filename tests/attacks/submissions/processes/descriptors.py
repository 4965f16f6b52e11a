"""Opens more files than a process should have."""

POINTS = 0
HURTS = True
BOUNDS = "5,000 descriptors of /dev/null and of sockets"
FIRST = """\
import os
import socket

held = []
try:
    for _ in range(5_000):
        held += [os.open("/dev/null", os.O_RDONLY), *socket.socketpair()]
except OSError:
    pass
if len(held) > 4_000:
    print("ESC" "APED", len(held))
"""
