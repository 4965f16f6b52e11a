"""One output of a hundred megabytes, of HTML."""

POINTS = 0
HURTS = True
BOUNDS = "100 MB"
FIRST = """\
from IPython.display import HTML, display

display(HTML("<b>" + "A" * 100_000_000 + "</b>"))
"""
