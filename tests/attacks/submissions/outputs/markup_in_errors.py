"""Markup in messages, names and classes of exceptions, which a page shows."""

POINTS = 0
HURTS = False
BOUNDS = "a few small outputs"
ANSWERS = {
    "add_one": """\
def add_one(x):
    raise type("<script id='hostile'>", (Exception,), {})("<img src=x onerror=alert(1)><script id='hostile'>")
""",
    "norm": "def norm(x):\n    raise AssertionError(\"</pre><script id='hostile'>alert(1)</script>\")\n",
    "roman": "raise ValueError(\"</pre><script id='hostile'>alert(1)</script>\")\n",
    "twice": "def twice(function, value):\n    return \"<script id='hostile'>\"\n",
}
