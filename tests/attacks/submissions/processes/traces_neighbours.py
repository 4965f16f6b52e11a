"""Traces other processes and reads their memory."""

POINTS = 0
HURTS = True
BOUNDS = "200 attempts to attach, each undone"
FIRST = """\
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
ATTACH, DETACH = 16, 17
for number in [os.getppid(), *range(1, 200)]:
    if number != os.getpid() and libc.ptrace(ATTACH, number, 0, 0) == 0:
        print("ESC" "APED: traced", number)
        libc.ptrace(DETACH, number, 0, 0)
for number in [os.getppid(), *range(1, 200)]:
    try:
        with open(f"/proc/{number}/mem", "rb"):
            if number != os.getpid():
                print("ESC" "APED: read", number)
    except OSError:
        pass
"""
