"""Leaves its working folder and removes it; the answers are right, and get their marks."""

POINTS = 2
HURTS = False
BOUNDS = "one empty folder"
FIRST = """\
import os
import shutil
import tempfile

folder = tempfile.mkdtemp()
os.chdir(folder)
shutil.rmtree(folder)
"""
ANSWERS = {"add_one": "def add_one(x):\n    return x + 1\n"}
