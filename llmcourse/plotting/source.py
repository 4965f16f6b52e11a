"""Show code of the package in a notebook, verbatim, so that a chapter never holds a copy that goes stale."""

import ast
import inspect
import textwrap
from collections.abc import Callable

__all__ = ["show_source"]


def show_source(*objects: Callable[..., object] | type, docstrings: bool = False) -> object:
    """Return the source of functions or classes as highlighted Markdown, which notebooks and the book display.

    Args:
        *objects: Functions or classes of the package.
        docstrings: Show their docstrings too; without them a reader sees the algorithm alone.

    Returns:
        An ``IPython.display.Markdown``.

    Example:
        >>> from llmcourse.plotting import use_style
        >>> print(show_source(use_style).data.splitlines()[1])
        def use_style() -> None:
    """
    from IPython.display import Markdown

    parts = [_source_of(each, docstrings) for each in objects]
    return Markdown("```python\n" + "\n\n\n".join(parts) + "\n```")


def _source_of(each: Callable[..., object] | type, docstrings: bool) -> str:
    source = textwrap.dedent(inspect.getsource(each)).rstrip()
    if docstrings:
        return source
    lines = source.splitlines()
    defined = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    # From the last to the first, so that the lines of the others stay where they were.
    for node in sorted(defined, key=lambda node: node.lineno, reverse=True):
        if ast.get_docstring(node) and len(node.body) > 1:
            start = node.body[0].lineno - 1
            del lines[start : node.body[0].end_lineno]
            while len(lines) > start and not lines[start].strip():
                del lines[start]
    return "\n".join(lines)
