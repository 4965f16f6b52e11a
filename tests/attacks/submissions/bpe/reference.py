"""Imports the course's own tokenizer, from wherever it can be found, and answers with it."""

POINTS = 0
HURTS = False
BOUNDS = "a few imports"
ASSIGNMENT = "01_tokenization"
FIRST = """\
import sys
from pathlib import Path

sys.path += [str(path) for path in (Path("@ROOT@"), Path("/run"), *Path.cwd().parents)]
from llmcourse.tokenization import train_bpe


def learn_merges(text, vocab_size, pattern="gpt2"):
    return train_bpe(text, vocab_size, pattern=pattern).merges
"""
ANSWERS = {"learn-merges-solution": "assert learn_merges\n"}
