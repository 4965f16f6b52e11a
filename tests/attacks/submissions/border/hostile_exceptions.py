"""Exceptions that pass for the judge's own, with endless texts and classes made of markup."""

POINTS = 0
HURTS = False
BOUNDS = "50 MB of text"
ANSWERS = {
    "add_one": """\
def add_one(x):
    raise type("BorderError", (Exception,), {"__module__": "llmcourse.grading.border.limits"})("A" * 50_000_000)
""",
    "norm": """\
class Odd(Exception):
    @property
    def args(self):
        raise KeyboardInterrupt

    def __reduce__(self):
        raise SystemExit

    __str__ = __repr__ = None


def norm(x):
    error = Odd()
    error.__cause__ = error
    raise error
""",
    "roman": "def roman(text):\n    raise BaseExceptionGroup('', [ValueError()] * 100_000)\n",
}
