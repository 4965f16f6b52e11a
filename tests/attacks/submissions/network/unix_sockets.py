"""Connects to every Unix socket that it can find by name, those of the grader's servers among them."""

POINTS = 0
HURTS = True
BOUNDS = "at most 200 connections, nothing sent"
FIRST = """\
import socket
from itertools import chain, islice
from pathlib import Path

try:
    listed = [line.split()[7] for line in Path("/proc/net/unix").read_text().splitlines()[1:] if len(line.split()) > 7]
except OSError:
    listed = []
found = chain.from_iterable(Path(folder).glob("**/*") for folder in ("/tmp", "/run", "/var/run"))
sockets = (str(path) for path in found if path.is_socket())
for name in islice(chain(listed, sockets), 200):
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(0.1)
        connection.connect(name.replace("@", "\\0"))
        if "outputs-" not in name:  # the kernel's own
            print("ESC" "APED", name)
    except OSError:
        pass
"""
