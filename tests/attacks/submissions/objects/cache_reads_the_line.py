"""A length that is read from the test's own line, up the stack."""

POINTS = 0
HURTS = False
BOUNDS = "the frames of one call"
ANSWERS = {
    "cache": """\
import linecache
import re
import sys


class Cache:
    def append(self, item):
        pass

    def __len__(self):
        frame = sys._getframe(1)
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        return int(re.search(r"== (\\d+)", line)[1])
"""
}
