"""File names that look like others: turned round, slashes of other scripts, invisible characters."""

POINTS = 0
HURTS = False
BOUNDS = "five small files"
FILES = {
    "steps\u202egpj.bnypi": "x",
    "..\u2215..\u2215gradebook.db": "x",
    "steps.ipynb\u200b": "{}",
    "\u0455teps.ipynb": "{}",
    "$(touch @MARK@)": "x",
}
