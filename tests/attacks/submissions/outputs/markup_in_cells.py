"""Markup in text cells and in attachments of the student's own."""

POINTS = 0
HURTS = False
BOUNDS = "two small cells"


def change(notebook):
    text = "<script id='hostile'>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))"
    text += "\n\n<form action='http://127.0.0.1/'><input></form>"
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "source": text})
    notebook["cells"].append({"cell_type": "raw", "metadata": {"format": "text/html"}, "source": text})
