"""Corpora that need no network: text that is on every machine which can run this course.

Which one to take depends on what is printed from it:

- :func:`documentation` and ``source_code("stdlib")`` come with Python and change with its minor version, so only
  orderings and thresholds may be printed from them;
- :func:`docstrings`, :func:`source_code` of a package and :func:`language_names` come from installed packages, which
  ``constraints.txt`` pins, so that exact numbers may be;
- :func:`human_rights` comes with the course.
"""

import ast
import importlib.util
import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path

__all__ = ["docstrings", "documentation", "each_docstring", "human_rights", "language_names", "source_code"]


def documentation() -> str:
    r"""Return the topics of Python's language reference, about 0.5 MB of English prose.

    Returns:
        The topics of ``pydoc_data`` in the order of their names, with blank lines between them.

    Example:
        >>> len(documentation()) > 300_000
        True
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def docstrings(package: str, *, max_bytes: int | None = None) -> str:
    r"""Return the docstrings of an installed package: technical English, with no import of the package.

    Args:
        package: The name of an installed package, ``"numpy"`` (1.6 MB) for instance.
        max_bytes: Stop after this many bytes of UTF-8; the last docstring is cut at a line.

    Returns:
        The docstrings in the order of the files' names and of the lines within them.

    Raises:
        ValueError: The package is not installed.

    Example:
        >>> "n-dimensional" in docstrings("numpy", max_bytes=1_000_000)
        True
    """
    return _take(each_docstring(package), max_bytes)


def each_docstring(package: str) -> Iterator[str]:
    r"""Give the docstrings of an installed package one by one: documents, for what works on documents.

    Args:
        package: The name of an installed package.

    Yields:
        Docstrings, in the order of the files' names and of the lines within them.

    Raises:
        ValueError: The package is not installed.

    Example:
        >>> sum("ndarray" in text for text in each_docstring("numpy")) > 100
        True
    """
    for path in _files_of(package):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue  # templates and files for other Pythons
        nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
        for node in sorted(nodes, key=lambda n: getattr(n, "lineno", 0)):
            if text := ast.get_docstring(node):
                yield text


def source_code(package: str = "stdlib", *, max_bytes: int | None = None) -> str:
    r"""Return the Python source of an installed package or of the standard library.

    Args:
        package: The name of an installed package, or ``"stdlib"`` for Python's own library.
        max_bytes: Stop after this many bytes of UTF-8; the last file is cut at a line.

    Returns:
        The files in the order of their names, with blank lines between them.

    Raises:
        ValueError: The package is not installed.

    Example:
        >>> "def " in source_code("numpy", max_bytes=100_000)
        True
    """
    return _take((path.read_text(encoding="utf-8", errors="replace") for path in _files_of(package)), max_bytes)


def language_names(locale: str) -> list[str]:
    r"""Return what the world's languages and territories are called in one language, from Unicode's CLDR.

    The same list of things named in hundreds of languages is the fairest comparison of scripts that a machine with
    no network has.

    Args:
        locale: A CLDR locale, ``"de"`` or ``"ta"`` for instance.

    Returns:
        Names in the order of their codes.

    Raises:
        ValueError: Babel is not installed, or knows no such locale.

    Example:
        >>> "Deutsch" in language_names("de")
        True
    """
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError as error:
        raise ValueError("language_names needs Babel's CLDR data: pip install babel") from error
    try:
        names = Locale.parse(locale)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"locale {locale!r} is not in Babel's CLDR data: {error}") from error
    languages, territories = dict(names.languages), dict(names.territories)
    return [languages[code] for code in sorted(languages)] + [territories[code] for code in sorted(territories)]


def human_rights() -> dict[str, str]:
    r"""Return Article 1 of the Universal Declaration of Human Rights in 27 languages and 14 scripts.

    A text that says the same in every language compares what a tokenizer charges for them (Petrov et al. 2023,
    arXiv:2305.15425, compare the translations of FLORES-200 so).

    Returns:
        The article by the English name of its language, English first.

    Example:
        >>> human_rights()["German"][:31]
        'Alle Menschen sind frei und gle'
    """
    text = Path(__file__).with_name("human_rights.json").read_text(encoding="utf-8")
    return json.loads(text)["languages"]


def _take(parts: Iterator[str], max_bytes: int | None) -> str:
    taken, size = [], 0
    for part in parts:
        taken.append(part)
        size += len(part.encode("utf-8", "surrogatepass")) + 2
        if max_bytes is not None and size >= max_bytes:
            break
    text = "\n\n".join(taken)
    if max_bytes is None or size < max_bytes:
        return text
    cut = text.encode()[:max_bytes].decode("utf-8", "ignore")
    return cut[: cut.rfind("\n") + 1] or cut


def _files_of(package: str) -> list[Path]:
    if package == "stdlib":
        root = Path(sysconfig.get_path("stdlib"))
        hidden = {"site-packages", "test", "tests", "__pycache__"}
    else:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ValueError(f"package {package!r} is not installed here: pip install {package}")
        root = Path(spec.submodule_search_locations[0])
        hidden = {"tests", "__pycache__"}
    return [path for path in sorted(root.rglob("*.py")) if not hidden & set(path.relative_to(root).parts)]
