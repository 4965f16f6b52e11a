"""Hostile cells and outputs on the pages that nbgrader makes: in Chromium, no script runs and nothing is fetched."""

import base64
from copy import deepcopy
from pathlib import Path

import nbgrader
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from llmcourse.grading.feedback_markup import InertMarkup, inert_html, make_inert

TEMPLATES = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
RUN = "note(1)"  # a function of the test's, which also hears from a page that is left at once
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script></svg>'
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChAGA60e6kgAAAABJRU5ErkJggg=="

MARKUP = [
    f"<script>{RUN}</script>",
    f"<ScRiPt >{RUN}</sCrIpT >",
    f"<img src=x onerror='{RUN}'>",
    f"<img src='x' onerror={RUN}//",
    SVG,
    f"<svg><animate onbegin='{RUN}' attributeName=x dur=1s>",
    f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
    f"<iframe src='javascript:{RUN}'></iframe>",
    f"<details open ontoggle='{RUN}'><summary>s</summary></details>",
    f"<body onload='{RUN}'>",
    f"<input autofocus onfocus='{RUN}'>",
    f"<video><source onerror='{RUN}'></video>",
    "<style>@import 'http://evil.invalid/a.css'; @keyframes x{}</style>"
    f"<b style='animation:x' onanimationstart='{RUN}'>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<a href='javascript:{RUN}' id=click>click</a>",
    f"[click](javascript:{RUN})",
    f"[click](<java\tscript:{RUN}>)",
    f"[click](data:text/html;base64,{base64.b64encode(f'<script>{RUN}</script>'.encode()).decode()})",
    f'![x](x" onerror="{RUN})',
    f"<x onclick='{RUN}' tabindex=1 id=x>x</x><form action=javascript:{RUN}><button>go</button></form>",
    "<img src='http://evil.invalid/tracker.png'> ![](http://evil.invalid/tracker.gif)",
    "<link rel=stylesheet href=http://evil.invalid/a.css><meta http-equiv=refresh content='0;url=http://evil.invalid/'>",
    "<base href='http://evil.invalid/'><object data=http://evil.invalid/></object><embed src=http://evil.invalid/>",
    "![a](attachment:a.svg) ![b](attachment:b.html) ![c](attachment:missing.png)",
    f"```html\n<script>{RUN}</script>\n```",
    f"```mermaid\n<img src=x onerror='{RUN}'>\n```",
    f"$$<img src=x onerror='{RUN}'>$$ and $\\href{{javascript:{RUN}}}{{x}}$",
    f"<!-- --!><script>{RUN}</script> -->",
    f"</div></div></body><script>{RUN}</script>",
    "<h1 id='double'>x</h1><input class='score' name='double'><span class='btn full-credit'>ok</span>",
]
WIDGET = "application/vnd.jupyter.widget-view+json"
DATA = [
    {"text/html": f"<script>{RUN}</script>", "text/plain": "plain"},
    {"image/svg+xml": SVG},
    {"application/javascript": RUN},
    {"text/markdown": f"<img src=x onerror='{RUN}'>"},
    {"text/latex": f"$$\\href{{javascript:{RUN}}}{{x}}$$<script>{RUN}</script>"},
    {"text/vnd.mermaid": f"<img src=x onerror='{RUN}'>"},
    {"application/pdf": "JVBERi0="},
    {WIDGET: {"model_id": "1", "version_major": 2}},
    {"image/png": f'x" onerror="{RUN}'},
    {"image/png": PNG},
    {"text/plain": f"<script>{RUN}</script>"},
]


def hostile():
    cells = [new_markdown_cell(text) for text in MARKUP]
    svg = base64.b64encode(SVG.encode()).decode()
    cells[24].attachments = {"a.svg": {"image/svg+xml": svg}, "b.html": {f'text/html" onerror="{RUN}': svg}}
    cells += [new_raw_cell(text, metadata={"raw_mimetype": "text/html"}) for text in MARKUP]
    outputs = [new_output("display_data", data=data) for data in DATA]
    outputs += [new_output("execute_result", data=data, execution_count=1) for data in DATA]
    outputs += [
        new_output("display_data", data={"text/html": f"<script>{RUN}</script>"},
                   metadata={"text/html": {"isolated": True}}),
        new_output("display_data", data={"image/png": PNG}, metadata={"image/png": {"width": f"1 onload={RUN}"}}),
        new_output("stream", name="stdout", text=f"<script>{RUN}</script>\x1b[31m<img src=x onerror={RUN}>"),
        new_output("error", ename=f"<script>{RUN}</script>", evalue=f"<script>{RUN}</script>",
                   traceback=[f"\x1b[31m<script>{RUN}</script>"]),
    ]  # fmt: skip
    code = new_code_cell(f"'<script>{RUN}</script>'", outputs=outputs)
    code.metadata = {"tags": [f'"><script>{RUN}</script>'], "magics_language": f"<script>{RUN}</script>"}
    cells.append(code)
    state = {"state": {}, "x": f"</script><script>{RUN}</script>"}
    metadata = {"title": f"<script>{RUN}</script>", "language_info": {"name": "python"},
                "widgets": {"application/vnd.jupyter.widget-state+json": state}}  # fmt: skip
    return new_notebook(cells=cells, metadata=metadata)


def page(notebook, template, *, inert):
    """Return the page that nbgrader's feedback or formgrader makes of a notebook."""
    config = Config()
    config.HTMLExporter.template_name = template
    config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES)]
    config.HTMLExporter.extra_template_paths = [
        str(TEMPLATES.parent / "static" / "node_modules" / "bootstrap" / "dist" / "css")
    ]
    if inert:
        config.HTMLExporter.preprocessors = ["llmcourse.grading.feedback_markup.InertMarkup"]
    known = {"notebook": "steps", "score": 1, "max_score": 2, "late_penalty": 0}
    resources = {"nbgrader": known, "base_url": "http://formgrader.invalid", "index": 0, "total": 1}
    names = ("notebook_id", "submission_id", "assignment_id", "student", "notebook_path", "first_name", "last_name")
    resources |= dict.fromkeys(names, "name")
    return HTMLExporter(config=config).from_notebook_node(deepcopy(notebook), resources=resources)[0]


def look_at(browser, html):
    """Return how many scripts of the notebook ran, what was asked from elsewhere, and what could still run."""
    asked, ran = [], []
    tab = browser.new_page()
    try:
        tab.expose_function("note", lambda kind: ran.append(kind))
        tab.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
        tab.set_content(html, wait_until="load")
        tab.wait_for_timeout(200)
        tab.evaluate("""() => {
            const area = document.querySelector('#notebook-container');
            for (const node of area ? area.querySelectorAll('*') : [])
                for (const kind of ['click', 'focus', 'mouseover', 'toggle', 'load', 'error'])
                    node.dispatchEvent(new Event(kind, {cancelable: true}));
        }""")
        assert tab.locator("#notebook-container .cell").count() > 20  # hostile markup swallows the others
        left = tab.evaluate("""() => Array.from(document.querySelectorAll('#notebook-container *')).flatMap(
            node => node.getAttributeNames().filter(name => name.startsWith('on')).concat(
                ['SCRIPT', 'IFRAME', 'SVG', 'OBJECT', 'EMBED', 'FORM', 'STYLE', 'LINK', 'META', 'BASE', 'INPUT']
                    .filter(tag => node.tagName.toUpperCase() === tag),
                /^\\s*(javascript|data):/i.test(node.getAttribute('href') || '') ? ['href'] : []))""")
    finally:
        tab.close()
    return len(ran), asked, left


@pytest.mark.parametrize("template", ["feedback", "formgrade"])
def test_no_script_of_a_submission_runs_on_a_page(browser, template):
    ran, asked, left = look_at(browser, page(hostile(), template, inert=True))
    foreign = [url for url in asked if "evil.invalid" in url or url.startswith("data:text")]
    assert (ran, foreign, left) == (0, [], [])


@pytest.mark.filterwarnings("ignore:Your element with mimetype")
@pytest.mark.parametrize("template", ["feedback", "formgrade"])
def test_without_it_they_do(browser, template):
    notebook = hostile()
    del notebook.cells[24]  # nbconvert refuses the page for an attachment that is missing
    del notebook.cells[22]  # this one leaves the page
    ran, asked, left = look_at(browser, page(notebook, template, inert=False))
    assert ran > 20
    assert any("evil.invalid" in url for url in asked)
    assert left


HONEST = """\
# Title

Some *emphasis*, `code`, $x_1 < 2$ and [a link](https://arxiv.org).

- item

| a | b |
|---|--:|
| 1 | 2 |

```python
if a < b:

    pass
```

<details><summary>Hint</summary>

Add *it*.
</details>

![dot](attachment:dot.png)
"""
SHOWN = [
    "<h1>Title</h1>", "<em>emphasis</em>", "<code>code</code>", "$x_1 &lt; 2$", "<li>item</li>", "&#10;&#10;",
    '<a href="https://arxiv.org">a link</a>', '<td style="text-align:right;">2</td>', '<span class="k">if</span>',
    "<summary>Hint</summary>", "<em>it</em>", f'<img src="data:image/png;base64,{PNG}" alt="dot">',
]  # fmt: skip


@pytest.mark.parametrize("piece", SHOWN)
def test_what_is_honest_is_still_shown(piece):
    assert piece in inert_html(HONEST, {"dot.png": {"image/png": PNG}})


@pytest.mark.parametrize("text", [*MARKUP, "a < b & c\n\n    code\n\n* x\n\n1. y"])
def test_a_second_time_changes_nothing(text):
    assert inert_html(inert_html(text)) == inert_html(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "<b>" * 30_000, "> " * 50_000, "$" * 100_000])
def test_markdown_of_any_size_is_shown_soon(text):
    assert len(inert_html(text)) < 10 * len(text)


def test_outputs_keep_text_and_pictures():
    outputs = [
        new_output("display_data", data={"text/html": "<table>", "text/plain": "a table"}),
        new_output("display_data", data={"image/png": PNG}),
        new_output("display_data", data={"text/html": "<b>"}),
        new_output("stream", name="stderr", text="warned"),
    ]
    notebook = new_notebook(cells=[new_code_cell("", outputs=outputs)])
    notebook, _ = InertMarkup().preprocess(notebook, {})
    first, picture, dropped, stream = notebook.cells[0].outputs
    assert dict(first.data) == {"text/plain": "a table"}
    assert dict(picture.data) == {"image/png": PNG}
    assert dropped.text == "(an output is not shown here: text/html)\n"
    assert stream.text == "warned"


def test_only_what_nbgrader_knows_of_a_cell_is_kept():
    cell = new_code_cell("1", metadata={"nbgrader": {"grade_id": "a"}, "tags": ["hide"], "collapsed": True})
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}, "llmcourse": {"remarks": ["slow"]}})
    make_inert(notebook)
    assert notebook.cells[0].metadata == {"nbgrader": {"grade_id": "a"}}
    assert notebook.metadata == {"language_info": {"name": "python"}, "llmcourse": {"remarks": ["slow"]}}
