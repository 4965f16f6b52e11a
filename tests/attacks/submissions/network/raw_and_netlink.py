"""Opens sockets that see or change the machine's network itself."""

POINTS = 0
HURTS = True
BOUNDS = "four sockets, nothing sent"
FIRST = """\
import os
import socket

for family, kind in ((socket.AF_INET, socket.SOCK_RAW), (socket.AF_PACKET, socket.SOCK_RAW), (40, socket.SOCK_STREAM)):
    try:
        socket.socket(family, kind)
        print("ESC" "APED", family)
    except OSError:
        pass
if any(name != "lo" for _, name in socket.if_nameindex()):
    print("ESC" "APED", socket.if_nameindex())
"""
