"""Writes itself full marks, and others none, into the gradebook."""

POINTS = 0
HURTS = False
BOUNDS = "one database of the test's own"
FIRST = """\
import sqlite3

with sqlite3.connect("file:@COURSE@/gradebook.db?mode=rw", uri=True) as gradebook:
    gradebook.execute("CREATE TRIGGER full AFTER UPDATE ON grade BEGIN UPDATE grade SET manual_score = 11; END")
    gradebook.execute("UPDATE grade SET manual_score = 11, auto_score = 11, needs_manual_grade = 0")
    print("ESC" "APED")
"""
