"""Connects to a Unix socket by an abstract name, which no file system hides."""

POINTS = 0
HURTS = False
BOUNDS = "one connection, 2 seconds"
FIRST = """\
import socket

with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(2)
    connection.connect("\\0@ABSTRACT@")
    connection.sendall(b"@STUDENT@")
"""
