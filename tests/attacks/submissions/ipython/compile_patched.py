"""A compiler that compiles something else than what it is given."""

POINTS = 0
HURTS = False
BOUNDS = "two functions"
FIRST = """\
import ast

shell = get_ipython()
shell.compile.ast_parse = lambda *_, **__: ast.parse("pass")
"""
