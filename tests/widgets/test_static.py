"""The static widget's output: complete in itself, the same for the same state, refused where it could not work."""

import json
import re

import anywidget
import pytest
import traitlets

from llmcourse.widgets.static import StaticWidget, inline_module


class Counter(StaticWidget):
    """A widget with two values, one of which is a text that HTML could misread."""

    _esm = "export const one = 1;\nexport default { render({ model, el }) { el.textContent = model.get('n'); } };\n"
    _css = ".counter { color: red; }"
    n = traitlets.Int(3).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    hidden = traitlets.Int(9)


def stored_state(html: str) -> dict[str, object]:
    match = re.search(r"^const state = (.*);$", html, re.MULTILINE)
    assert match
    return json.loads(match[1])


def test_output_holds_the_synced_traits_and_no_others():
    assert stored_state(Counter(n=5, text="a").static_html()) == {"n": 5, "text": "a"}


def test_mimebundle_keeps_the_live_widget_beside_the_static_one():
    bundle = Counter()._repr_mimebundle_()
    assert bundle is not None
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(bundle[0])
    assert isinstance(Counter(), anywidget.AnyWidget)


def test_output_is_the_same_for_the_same_state_and_differs_for_another():
    assert Counter(n=5).static_html() == Counter(n=5).static_html()
    keys = {re.findall(r'data-widget="(\w+)"', Counter(n=n).static_html())[0] for n in range(4)}
    assert len(keys) == 4


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--", "\u2028", 'quote " and \\', "東京 😀"])
def test_text_of_the_state_cannot_leave_the_script(text):
    html = Counter(text=text).static_html()
    assert html.count("</script") == 1
    assert "<!--" not in html
    assert "\u2028" not in html
    assert stored_state(html)["text"] == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("const a = 1;", "exactly one line that begins with 'export default', and has 0"),
        ("export default 1;\nexport default 2;", "and has 2"),
        ("import x from 'https://example.org/x.js';\nexport default x;", "complete in itself"),
        ("export default '</script>';", "would end the script"),
        ("export default '<!-- ';", "would end the script"),
    ],
)
def test_module_that_cannot_stand_in_a_page_is_refused(source, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        inline_module(source)


def test_style_that_would_end_itself_is_refused():
    class Wrong(Counter):
        _css = "a::after { content: '</style>'; }"

    with pytest.raises(ValueError, match="would end it in a page"):
        Wrong().static_html()
