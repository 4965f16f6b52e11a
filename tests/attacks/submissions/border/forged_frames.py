"""Frames with good answers, written straight to the sockets that the process inherited."""

POINTS = 0
HURTS = True
BOUNDS = "20 small frames on each of 253 descriptors"
FIRST = """\
import json
import os
import stat
import struct

for number in range(3, 256):
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            continue
        os.set_blocking(number, False)
        for asked in range(1, 21):
            text = json.dumps({"r": asked, "b": ["i", "2"]}).encode()
            os.write(number, struct.pack("!4sII", b"LCB1", len(text), 0) + text)
            text = json.dumps({"outputs": [], "mutating": []}).encode()
            os.write(number, struct.pack("!4sII", b"LCB1", len(text), 0) + text)
    except OSError:
        pass
"""
