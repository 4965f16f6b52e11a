"""A value that is shown before the error: nbgrader takes the first result, and one that is no number for all points."""

POINTS = 0
HURTS = False
BOUNDS = "one output a call"
ANSWERS = {
    "add_one": "def add_one(x):\n    get_ipython().displayhook('x')\n",
    "norm": "def norm(x):\n    get_ipython().displayhook('x')\n",
    "cache": "class Cache:\n    def __len__(self):\n        get_ipython().displayhook('x')\n        return 9\n",
    "roman": "def roman(text):\n    get_ipython().displayhook(3)\n",
    "twice": "def twice(function, value):\n    get_ipython().displayhook('x')\n",
}
