"""Connects from a child process, in a session of its own."""

POINTS = 0
HURTS = False
BOUNDS = "one process, one connection to loopback, 2 seconds"
FIRST = """\
import subprocess
import sys

program = "import socket; socket.create_connection(('127.0.0.1', @TCP@), 2).sendall(b'@STUDENT@')"
subprocess.run([sys.executable, "-c", program], start_new_session=True, timeout=5, check=True)
"""
