"""Halves of characters and control characters in outputs, which no file and no database takes."""

POINTS = 0
HURTS = False
BOUNDS = "a few small outputs"
FIRST = """\
from IPython.display import display

print("\\x00\\x01\\ufffe")
kernel = get_ipython().kernel
content = {"name": "stdout", "text": "\\ud800 \\x00"}
kernel.session.send(kernel.iopub_socket, "stream", content, parent=kernel.get_parent())
content = {"ename": "\\udfff", "evalue": "\\ud800", "traceback": ["\\udcff"]}
kernel.session.send(kernel.iopub_socket, "error", content, parent=kernel.get_parent())
display({"text/plain": "\\ud800"}, raw=True)
"""
ANSWERS = {
    "add_one": "def add_one(x):\n    raise ValueError('\\ud800\\x00')\n",
    "roman": "def roman(text):\n    print('\\ud800')\n    return '\\ud800'\n",
}
