"""Keep pages complete in themselves: no pointer to a server, and an ``index.html`` that leads to the landing page.

Jupyter Book loads sphinx-thebe, which puts the address of a CDN into every page although no page runs thebe, and
writes an ``index.html`` of nothing but a redirect: no title, no language, no link for who has switched redirects off.
"""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

LAST = 999
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={target}">
<link rel="icon" href="_static/favicon.svg">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main></body>
</html>
"""


def drop_thebe(
    app: "Sphinx", pagename: str, templatename: str, context: dict[str, Any], doctree: "nodes.document | None"
) -> None:
    """Take the scripts and styles of sphinx-thebe out of a page, and nothing else."""

    def is_wanted(file: Any) -> bool:
        # No test for truth: Sphinx's objects are strings, and a script in the page is an empty one.
        body = getattr(file, "attributes", {}).get("body") or ""
        return "thebe" not in f"{getattr(file, 'filename', file)} {body}".lower()

    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context.get(kind, []) if is_wanted(file)]


def write_index(app: "Sphinx", error: Exception | None) -> None:
    """Write the book's first page once the build is through."""
    if error is None and app.builder.format == "html" and app.config.root_doc != "index":
        page = INDEX.format(target=f"{app.config.root_doc}.html", title=escape(app.config.html_title))
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")


def setup(app: "Sphinx") -> dict[str, Any]:
    """Connect both to Sphinx's events."""
    app.connect("html-page-context", drop_thebe, priority=LAST)
    app.connect("build-finished", write_index, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
