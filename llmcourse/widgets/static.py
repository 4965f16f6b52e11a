"""The widget that also works in a static page.

A widget's front end is one JavaScript module whose default export holds ``render({model, el})``, as anywidget has it.
In JupyterLab the model is the kernel's. In a page of the book there is no kernel: there the output carries the state,
the module and a model of a few lines, so that the widget computes in the page itself, from a server or from a file.
"""

import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["StaticWidget", "styled"]

_PAGE = """<div class="llmcourse-widget" data-widget="{key}"><p>{caption}</p></div>
<style>{css}</style>
<script type="module">
{module}
const state = {state};
const listeners = {{}};
const model = {{
  get: (name) => state[name],
  set: (name, value) => {{ state[name] = value; (listeners["change:" + name] ?? []).forEach((call) => call()); }},
  on: (event, call) => (listeners[event] ??= []).push(call),
  off: () => {{}},
  save_changes: () => {{}},
}};
const el = document.querySelector('[data-widget="{key}"]:not([data-mounted])');
el.dataset.mounted = "";
el.replaceChildren();
widget.render({{ model, el }});
</script>"""


class StaticWidget(anywidget.AnyWidget):
    """A widget whose output holds all that it needs: state, style and code.

    A subclass gives ``_esm`` as a path, ``_css`` by :func:`styled`, a ``caption`` that stands where no script runs, and
    tags with ``sync=True`` the traits that are its state. The same state gives the same output, byte for byte, so a
    notebook's stored output can be compared with a new one.
    """

    _esm: Any
    _css: Any
    caption = "An interactive figure: it runs in the book's pages and in JupyterLab."

    def state(self) -> dict[str, Any]:
        """Return the values that the front end reads, by name; they can be written as JSON."""
        own = set(self.trait_names(sync=True)) - set(anywidget.AnyWidget.class_trait_names())
        return {name: getattr(self, name) for name in sorted(own) if not name.startswith("_")}

    def static_html(self) -> str:
        """Write the widget as HTML that needs nothing else.

        Returns:
            A place for the widget, its style, and a script that holds its state and draws it.

        Raises:
            ValueError: the module or the style cannot stand inside a page.
        """
        state = json.dumps(self.state(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        state = state.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        module, css = inline_module(_text(self._esm)), _text(self._css).strip()
        if "</style" in css:
            raise ValueError(f"the style of {type(self).__name__} holds '</style', which would end it in a page")
        key = hashlib.sha256(f"{type(self).__qualname__}\0{module}\0{css}\0{state}".encode()).hexdigest()[:12]
        return _PAGE.format(key=key, caption=escape(self.caption), css=css, module=module, state=state)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return data | {"text/html": self.static_html()}, metadata


def styled(own: Path) -> str:
    """Return a widget's style: what all widgets share, for the class ``llmcourse-explorer``, and its own rules."""
    return Path(__file__).with_name("explorer.css").read_text(encoding="utf-8") + own.read_text(encoding="utf-8")


def _text(source: Any) -> str:
    """Return a style or module, which anywidget holds as a path, as a watched file or as text."""
    if isinstance(source, traitlets.TraitType):
        source = source.default()
    return source.read_text(encoding="utf-8") if isinstance(source, Path) else str(source)


def inline_module(source: str) -> str:
    r"""Turn an ES module into text for a script in a page, where ``widget`` names its default export.

    A page's script cannot export, and importing from a ``blob:`` or ``data:`` address fails in some browsers when the
    page is a file.

    Args:
        source: a module with one ``export default``.

    Returns:
        The same code without exports.

    Raises:
        ValueError: the module has not exactly one default export, imports another, or holds what would end the script.

    Examples:
        >>> inline_module("export const a = 1;\nexport default { a };")
        'const a = 1;\nconst widget = { a };'
    """
    for wrong in ("</script", "<!--"):
        if wrong in source.lower():
            raise ValueError(f"the module holds {wrong!r}, which would end the script: write it in two parts")
    if found := re.search(r"^import\b.*$", source, re.MULTILINE):
        raise ValueError(f"the module must be complete in itself, and has {found[0]!r}")
    text, defaults = re.subn(r"^export default ", "const widget = ", source, flags=re.MULTILINE)
    if defaults != 1:
        raise ValueError(f"the module needs exactly one line that begins with 'export default', and has {defaults}")
    return re.sub(r"^export (?=const|function|class)", "", text, flags=re.MULTILINE).strip()
