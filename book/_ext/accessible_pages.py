"""Mend what docutils and pandas write in a way that a screen reader stumbles over.

docutils gives an entry of a bibliography the role ``doc-biblioentry``, which is deprecated and not allowed inside a
list; pandas and Markdown make an empty header cell above the names of rows.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

EMPTY_HEADER = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")


def mend(body: str) -> str:
    """Return a page's body with list items for entries of a bibliography and no empty header cell.

    Examples:
        >>> mend('<th class="head"><p></p></th><th>n</th>')
        '<td class="head"></td><th>n</th>'
    """
    return EMPTY_HEADER.sub(r"<td\1></td>", body.replace('role="doc-biblioentry"', 'role="listitem"'))


def mend_page(
    app: "Sphinx", pagename: str, templatename: str, context: dict[str, Any], doctree: "nodes.document | None"
) -> None:
    """Mend the body of a page before it is put into its template."""
    if "body" in context:
        context["body"] = mend(context["body"])


def setup(app: "Sphinx") -> dict[str, Any]:
    """Mend each page as it is written."""
    app.connect("html-page-context", mend_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
