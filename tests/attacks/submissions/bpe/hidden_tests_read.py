"""Prints the hidden tests, by way of the frames that call it."""

POINTS = 0
HURTS = False
BOUNDS = "the frames of one call"
ASSIGNMENT = "01_tokenization"
FIRST = """\
import inspect
import sys


def tell(*_, **__):
    frame = sys._getframe(1)
    while frame is not None:
        try:
            source = inspect.getsource(frame)
        except (OSError, TypeError):
            source = ""
        if "BEGIN HIDDEN" + " TESTS" in source or "hidden_tests" in frame.f_globals:
            print("ESC" "APED", source[:2_000])
        frame = frame.f_back
"""
ANSWERS = {
    name: f"{function} = tell\n"
    for name, function in {
        "learn-merges-solution": "learn_merges",
        "encode-word-solution": "encode_word",
        "decode-solution": "decode",
        "split-special-solution": "split_special",
    }.items()
}
