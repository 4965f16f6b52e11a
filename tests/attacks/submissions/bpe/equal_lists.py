"""Lists and texts of its own classes, which equal every other."""

POINTS = 0
HURTS = False
BOUNDS = "small objects"
ASSIGNMENT = "01_tokenization"
FIRST = """\
class Text(str):
    tries = 0

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return True

    __hash__ = str.__hash__


class Merges(list):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return True

    __hash__ = None
"""
ANSWERS = {
    "learn-merges-solution": "def learn_merges(text, vocab_size, pattern=None):\n    return Merges()\n",
    "decode-solution": "def decode(ids, vocab):\n    return Text()\n",
    "split-special-solution": "def split_special(text, special_tokens):\n    return Merges()\n",
}
