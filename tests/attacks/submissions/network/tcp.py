"""Sends its findings over TCP to somebody who listens on this machine."""

POINTS = 0
HURTS = False
BOUNDS = "one connection to loopback, 2 seconds"
FIRST = """\
import socket

with socket.create_connection(("127.0.0.1", @TCP@), timeout=2) as connection:
    connection.sendall(b"@STUDENT@")
"""
