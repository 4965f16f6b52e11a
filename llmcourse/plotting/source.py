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
    definition = ast.parse(source).body[0]
    if docstrings or not isinstance(definition, ast.FunctionDef | ast.ClassDef) or not ast.get_docstring(definition):
        return source
    documented = definition.body[0]
    lines = source.splitlines()
    del lines[documented.lineno - 1 : documented.end_lineno]
    while len(lines) > documented.lineno - 1 and not lines[documented.lineno - 1].strip():
        del lines[documented.lineno - 1]
    return "\n".join(lines)
