"""A date of handing in that is a program, very long, and long ago."""

POINTS = 0
HURTS = False
BOUNDS = "1 MB"
FILES = {"timestamp.txt": "1970-01-01 00:00:00 UTC $(touch @MARK@)" + "0" * 1_000_000}
