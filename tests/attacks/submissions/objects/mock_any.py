"""unittest.mock.ANY, which equals whatever it is compared with."""

POINTS = 0
HURTS = False
BOUNDS = "one object"
ANSWERS = {
    "add_one": "from unittest.mock import ANY\n\n\ndef add_one(x):\n    return ANY\n",
    "twice": "def twice(function, value):\n    function(2), function(6)\n    return ANY\n",
}
