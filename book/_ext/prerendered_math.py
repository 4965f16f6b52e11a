"""Render formulas with KaTeX while the book is built, and make a formula that is wrong a warning.

sphinxcontrib-katex places formulas and numbers; what it calls to render one is replaced here. Its own server looks for
node on the PATH, prints a wrong formula in red instead of failing, and may outlive a build that breaks off. Here node
is the one from PyPI, it reads formulas from a pipe and ends with it, and a wrong formula is reported with its place:
the build, which turns warnings into errors, then fails.
"""

import json
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinxcontrib import katex
from vendor import NODE

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)

# One formula a line in, one answer a line out. "ignore" keeps KaTeX from printing to a console that nobody reads.
RENDERER = """
const katex = require(process.argv[1]);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { latex, displayMode } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(latex, { displayMode, throwOnError: true, strict: "ignore" }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


@cache
def renderer() -> subprocess.Popen[str]:
    """Return the process of node that renders; it ends when this process does, since its input ends then."""
    command = [str(NODE), "-e", RENDERER, str(katex.SRC_DIR / "katex.min.js")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def render(latex: str, options: dict[str, Any] | None = None) -> str:
    """Return a formula as HTML.

    Raises:
        katex.KaTeXError: the formula is wrong; the message is KaTeX's.
    """
    process = renderer()
    assert process.stdin and process.stdout
    request = {"latex": latex, "displayMode": bool((options or {}).get("displayMode"))}
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise katex.KaTeXError(f"node ended with {process.wait()} while it rendered {latex!r}")
    answer = json.loads(line)
    if "error" in answer:
        raise katex.KaTeXError(answer["error"])
    return answer["html"]


def check_formulas(app: "Sphinx", doctree: nodes.document, docname: str) -> None:
    """Warn of every formula of a page that KaTeX cannot render, and show it as it was written."""
    for node in list(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block))):
        try:
            render(node.astext(), {"displayMode": isinstance(node, nodes.math_block)})
        except katex.KaTeXError as error:
            logger.warning("wrong formula %r: %s", node.astext(), error, location=node, type="math", subtype="katex")
            node.replace_self(nodes.literal(text=node.astext()))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Set the renderer up, and check each page once its references are resolved."""
    katex.render_latex = render
    app.setup_extension("sphinxcontrib.katex")
    app.connect("doctree-resolved", check_formulas)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
