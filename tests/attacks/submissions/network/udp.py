"""Sends its findings over UDP, where no answer is waited for."""

POINTS = 0
HURTS = False
BOUNDS = "one packet to loopback"
FIRST = """\
import socket

socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"@STUDENT@", ("127.0.0.1", @UDP@))
"""
