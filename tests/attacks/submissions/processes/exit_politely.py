"""Asks the kernel to shut down, with sys.exit and by IPython's own way."""

POINTS = 0
HURTS = False
BOUNDS = "one process, its own"
FIRST = """\
import sys

get_ipython().ask_exit()
get_ipython().kernel.do_shutdown(False)
sys.exit(0)
"""
