"""A graded notebook whose page cannot do anything to whoever looks at it.

nbgrader's pages, formgrader's for the instructor and the feedback for the student, show a submission's markdown and
outputs as HTML, with whatever scripts they hold; nbconvert's ``sanitize_html`` does not reach the markdown of these
pages, nor a link to ``javascript:``. :class:`InertMarkup` renders markdown itself, keeps of the HTML what formats text
(by bleach, as nbconvert does), and of outputs text, errors, PNG and JPEG. Raw cells become code.

Kept out: scripts, styles, forms, frames, SVG, widgets, LaTeX and HTML outputs, ids, names and classes (formgrader's own
scripts go by them), pictures from elsewhere (the address that they are fetched from learns who looks), and attachments
other than pictures. Mathematics stays text in dollars, which MathJax sets in its safe mode. Text is shown as it is, and
may say anything.
"""

import json
import re
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets import Bool

from llmcourse.grading.outputs import inert_content

__all__ = ["InertMarkup", "inert_html", "make_inert"]

_OUTPUT_CHARACTERS = 2 << 20
# Markdown can be written so that reading it takes time that grows with the square of its length.
_MARKDOWN_CHARACTERS = 20_000

_TAGS = frozenset(
    "a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s small span "
    "strong sub summary sup table tbody td tfoot th thead tr u ul".split()
)
_PICTURE = re.compile(
    r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*\Z|(?!\.\.?/)[\w-][\w.-]*\.(?:png|jpe?g|gif)\Z"
)
_PREFORMATTED = re.compile("<pre>.*?</pre>", re.DOTALL)
_HIGHLIGHT = re.compile(r"highlight|[a-z][a-z0-9]?\Z")


class InertMarkup(Preprocessor):
    """Make a notebook's markup harmless before nbconvert makes a page of it."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Make the notebook inert.

        Args:
            nb: A graded notebook; changed in place.
            resources: nbconvert's.

        Returns:
            Both; a second time it changes nothing more.
        """
        make_inert(nb)
        return nb, resources


def make_inert(nb: NotebookNode) -> None:
    """Reduce a notebook to what cannot hurt whoever looks at a page of it.

    Args:
        nb: Any notebook; changed in place.
    """
    own = {"llmcourse": nb.metadata["llmcourse"]} if "llmcourse" in nb.metadata else {}
    nb.metadata = NotebookNode({"language_info": NotebookNode({"name": "python"}), **own})
    for cell in nb.cells:
        attachments = cell.pop("attachments", None)
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in ("nbgrader",) if key in cell.metadata})
        if cell.cell_type == "markdown":
            cell.source = inert_html(cell.source, attachments)
            continue
        cell.cell_type = "code"
        cell.setdefault("execution_count", None)  # a raw cell has none
        cell.outputs = [_inert_output(output) for output in cell.get("outputs", ())]


def _inert_output(output: NotebookNode) -> NotebookNode:
    plain = json.loads(json.dumps(output))  # inert_content takes nothing but dictionaries
    content = inert_content(output.output_type, plain, _OUTPUT_CHARACTERS)
    if content is None:
        kinds = ", ".join(sorted(re.sub(r"[^\w/.+-]", "", str(name)) for name in output.get("data", ())))
        return new_output("stream", name="stdout", text=f"(an output is not shown here: {kinds or 'nothing known'})\n")
    return new_output(output.output_type, **content)


def inert_html(markdown: str, attachments: Any = None) -> str:
    """Return markdown as HTML that only formats text.

    Args:
        markdown: What a cell holds.
        attachments: Of the cell.

    Returns:
        One line, which markdown takes for HTML and leaves as it is.

    Example:
        >>> inert_html("**A** [link](javascript:alert(1)) <script>alert(1)</script>")
        '<div><p><strong>A</strong> <a href="#harmful-link">link</a> &lt;script&gt;alert(1)&lt;/script&gt;</p></div>'
    """
    html = f"<pre>{bleach.clean(markdown, tags=set())}</pre>"
    if len(markdown) <= _MARKDOWN_CHARACTERS:
        renderer = _Renderer(attachments=attachments if isinstance(attachments, dict) else {})
        try:
            html = _clean(MarkdownWithMath(renderer=renderer).render(markdown))
        except (RecursionError, ValueError, TypeError):
            pass  # deeper nesting than a text has; it stays as it was written
    html = _PREFORMATTED.sub(lambda match: match[0].replace("\n", "&#10;"), html.strip()).replace("\n", " ")
    return html if html.startswith("<div>") and html.endswith("</div>") else f"<div>{html}</div>"


class _Renderer(IPythonRenderer):
    """nbconvert's, with no anchors, and with words in the place of attachments that are missing."""

    def __init__(self, attachments: dict[str, Any]) -> None:
        super().__init__(
            escape=False, allow_harmful_protocols=False, exclude_anchor_links=True, attachments=attachments
        )

    def _embed_image_or_attachment(self, src: str) -> str:
        attachment = self.attachments.get(src.removeprefix("attachment:"))
        if not src.startswith("attachment:") or not isinstance(attachment, dict):
            return src
        found = (f"data:{kind};base64,{attachment[kind]}" for kind in ("image/png", "image/jpeg") if kind in attachment)
        return next(found, "")


def _clean(html: str) -> str:
    return bleach.clean(
        html,
        tags=_TAGS,
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},  # data for pictures alone, see _allowed
        css_sanitizer=CSSSanitizer(allowed_css_properties=["text-align"]),
        strip_comments=True,
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    match tag, name:
        case "a", "href":
            return not value.strip().lower().startswith("data:")
        case "img", "src":
            return _PICTURE.match(value) is not None
        case ("img", "alt") | ("a" | "abbr", "title") | ("details", "open"):
            return True
        case (("td" | "th"), ("style" | "colspan" | "rowspan")):
            return True
        case (("div" | "span"), "class"):
            return _HIGHLIGHT.match(value) is not None
    return False
