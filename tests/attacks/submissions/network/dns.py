"""Sends its findings as a question for a name, to a server on this machine."""

POINTS = 0
HURTS = False
BOUNDS = "one packet to loopback"
FIRST = """\
import socket

labels = b"".join(bytes([len(label)]) + label for label in b"@STUDENT@.example".split(b"."))
question = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" + labels + b"\\x00\\x00\\x01\\x00\\x01"
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(question, ("127.0.0.1", @UDP@))
"""
