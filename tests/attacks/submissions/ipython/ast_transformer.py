"""A transformer of the syntax tree that takes out all that a test does."""

POINTS = 0
HURTS = False
BOUNDS = "one hook"
FIRST = """\
import ast


class Nothing(ast.NodeTransformer):
    def visit_Module(self, node):
        return ast.Module(body=[], type_ignores=[])


get_ipython().ast_transformers.append(Nothing())
"""
