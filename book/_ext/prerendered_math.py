"""Render formulas with KaTeX while the book is built, and make a formula that is wrong a warning.

sphinxcontrib-katex does the rendering. It looks for node on the PATH, lets KaTeX print a wrong formula in red, and
gives up after five seconds; here node is the one from PyPI, a wrong formula is reported with its place (the build,
which turns warnings into errors, then fails), and a busy machine has a minute.
"""

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinxcontrib import katex
from vendor import NODE

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)
PATIENCE_S = 60.0
# "ignore" keeps KaTeX from printing to a console that nobody reads; what is wrong still raises.
OPTIONS = {"throwOnError": True, "strict": "ignore", "output": "htmlAndMathml"}


def check_formulas(app: "Sphinx", doctree: nodes.document, docname: str) -> None:
    """Warn of every formula of a page that KaTeX cannot render."""
    for node in doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)):
        try:
            katex.render_latex(node.astext(), {"displayMode": isinstance(node, nodes.math_block)})
        except katex.KaTeXError as error:
            logger.warning("wrong formula %r: %s", node.astext(), error, location=node, type="math", subtype="katex")
            node.replace_self(nodes.literal(text=node.astext()))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Set the renderer up, and check each page once its references are resolved."""
    katex.NODEJS_BINARY = str(NODE)
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = PATIENCE_S
    katex.KATEX_DEFAULT_OPTIONS.clear()
    katex.KATEX_DEFAULT_OPTIONS.update(OPTIONS)
    app.setup_extension("sphinxcontrib.katex")
    app.connect("doctree-resolved", check_formulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
