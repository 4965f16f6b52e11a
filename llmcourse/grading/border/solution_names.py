"""Which names an instructor's solution defines, and what its classes can do: read from its source, never run."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["SolutionName", "names_of", "plain", "read_names", "solution_names"]

_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)
_CELL_MAGIC = re.compile(r"^\s*%%.*", re.DOTALL)
# Bases that bring no comparison or arithmetic of their own.
_BARE = {"object", "Module", "ABC", "Protocol", "Generic", "NamedTuple", "Enum", "Function", "Dataset", "Optimizer"}
_ORDER = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})


@dataclass(frozen=True, kw_only=True)
class SolutionName:
    """A name that the solution defines.

    ``kind`` is ``function``, ``class``, ``variable`` or ``import``. Of a class, ``operators`` are the special methods
    that it defines, ``open_ended`` says that it also inherits from a class whose methods are not known here, and
    ``fields`` are those by which a dataclass compares, None for other classes. ``statement`` is an import's source.
    """

    name: str
    kind: str
    operators: frozenset[str] = frozenset()
    open_ended: bool = False
    fields: tuple[str, ...] | None = None
    statement: str = ""


def plain(source: str) -> str:
    """Return a cell's source without IPython's magics and shell lines, so that Python can parse it."""
    return "" if _CELL_MAGIC.match(source) else _MAGIC.sub(r"\1pass", source)


@lru_cache(maxsize=1024)  # a worker asks for each submission, of the same cells
def read_names(source: str) -> frozenset[str]:
    """Return all names that a source mentions; none where it is no Python."""
    try:
        return frozenset(node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
    except (SyntaxError, ValueError):
        return frozenset()


def solution_names(cells: Iterable[Mapping[str, Any]]) -> dict[str, SolutionName]:
    """Return the names that the solution cells of a notebook define.

    Args:
        cells: Of the instructor's notebook, in order.

    Returns:
        The names, the last definition of each.
    """
    found: dict[str, SolutionName] = {}
    for cell in cells:
        if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution"):
            found |= names_of(cell["source"], found)
    return found


def names_of(source: str, known: Mapping[str, SolutionName] | None = None) -> dict[str, SolutionName]:
    r"""Return the names that one solution cell defines.

    Args:
        source: The cell's.
        known: What earlier cells define, from which its classes may derive.

    Returns:
        The names of this cell alone.

    Example:
        >>> sorted(names_of("import math\nclass Cache: pass\nlimit = 3\ndef step(): global count; count = 1"))
        ['Cache', 'count', 'limit', 'math', 'step']
    """
    found = dict(known or {})
    own = set()
    tree = ast.parse(plain(source))
    for node in _statements(tree.body):
        for item in _defined(node, found):
            found[item.name] = item
            own.add(item.name)
    return {name: found[name] for name in found if name in own}


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run in the cell's own scope, and ``global`` statements of functions."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Global))
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, field, []))
        for handler in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            yield from _statements(handler.body)


def _defined(node: ast.stmt, known: Mapping[str, SolutionName]) -> Iterator[SolutionName]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield SolutionName(name=node.name, kind="function")
    elif isinstance(node, ast.ClassDef):
        yield _class(node, known)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            yield SolutionName(name=name, kind="import", statement=ast.unparse(node))
    elif isinstance(node, ast.Global):
        yield from (SolutionName(name=name, kind="variable") for name in node.names)
    else:
        yield from (SolutionName(name=name, kind="variable") for name in _stored(node))


def _stored(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement assigns, without looking into the statements below it."""
    waiting: list[ast.AST] = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        if not isinstance(part, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.stmt):
            waiting += ast.iter_child_nodes(part)


def _class(node: ast.ClassDef, known: Mapping[str, SolutionName]) -> SolutionName:
    parents = [known[name] for name in map(_last_name, node.bases) if name in known]
    strangers = [name for name in map(_last_name, node.bases) if name not in known and name not in _BARE]
    operators = {item.name for item in node.body if isinstance(item, ast.FunctionDef) and item.name.startswith("__")}
    for item in node.body:
        operators |= {name for name in _stored(item) if name.startswith("__")}
    dataclass_call = next((item for item in node.decorator_list if _last_name(item) == "dataclass"), None)
    options = {item.arg: item.value for item in getattr(dataclass_call, "keywords", [])}
    if _is(options.get("order")) or "total_ordering" in map(_last_name, node.decorator_list):
        operators |= _ORDER
    fields = None
    if dataclass_call is not None and "__eq__" not in operators and not _is(options.get("eq"), False):
        inherited = [field for parent in parents for field in parent.fields or ()]
        fields = tuple(dict.fromkeys([*inherited, *_fields(node)]))
    return SolutionName(
        name=node.name,
        kind="class",
        operators=frozenset(operators).union(*(parent.operators for parent in parents)),
        open_ended=bool(strangers) or any(parent.open_ended for parent in parents),
        fields=fields,
    )


def _is(node: ast.expr | None, value: bool = True) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            compares = not isinstance(item.value, ast.Call) or not any(
                keyword.arg == "compare" and _is(keyword.value, False) for keyword in item.value.keywords
            )
            if compares and "ClassVar" not in ast.unparse(item.annotation):
                yield item.target.id
