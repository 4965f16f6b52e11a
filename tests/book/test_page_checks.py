"""The checks of a page can fail: each is given a small page with its fault, and one without."""

import pytest

page_checks = pytest.importorskip("page_checks", reason="the checks of pages need the extra 'test'")

pytestmark = pytest.mark.browser

WHOLE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Whole</title>
<link rel="icon" href="data:,"></head>
<body><main><article><h1>Whole</h1>{body}</article></main>{script}</body></html>"""
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
WIDGET = """<div class="llmcourse-widget" data-widget="a" data-mounted><label>n
<input type="range" min="0" max="9" value="3"></label><output>3</output></div>"""
FOLLOWS = """<script>document.querySelector("input").oninput = (event) =>
{ document.querySelector("output").textContent = event.target.value; };</script>"""
FOLLOWS_ONCE = FOLLOWS.replace("event.target.value", "new Date().getTime() + Math.random()")


@pytest.fixture(scope="module")
def site(browser, serve, tmp_path_factory):
    """Return a function that shows a page of the given body and returns it with its recorder."""
    folder = tmp_path_factory.mktemp("site")
    origin = serve(folder)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    recorder = page_checks.Recorder(context, origin)
    page = context.new_page()

    def show(body="", script=""):
        (folder / "index.html").write_text(WHOLE.format(body=body, script=script), encoding="utf-8")
        page.goto(f"{origin}/index.html", wait_until="load")
        page.wait_for_load_state("networkidle")
        return page, recorder

    yield show
    context.close()


def test_a_whole_page_has_no_problem(site):
    body = f"<p>Costs $5, as <code>$x$</code> says.</p><img src='{DOT}' alt='a dot'>{WIDGET}"
    page, recorder = site(body, FOLLOWS)
    checks = [page_checks.formula_problems, page_checks.image_problems, page_checks.overflow_problems]
    checks += [page_checks.widget_problems]
    assert [check(page) for check in checks] == [[], [], [], []]
    for rules in (page_checks.LAYOUT, page_checks.CONTRAST):
        assert page_checks.accessibility_problems(page, rules) == []
    assert recorder.take() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<p>See $x^2$ here.</p>", "raw formula"),
        ("<p>See \\(x\\) here.</p>", "raw formula"),
        ("<p>\\frac{a}{b}</p>", "raw formula"),
        ("<span class='math'>x^2</span>", "unrendered formula"),
        ("<span class='math'><span class='katex katex-error'>\\wrong</span></span>", "wrong formula"),
    ],
)
def test_formulas(site, body, message):
    (problem,) = page_checks.formula_problems(site(body)[0])
    assert problem.startswith(message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"<img src='{DOT}'>", "image without alt"),
        (f"<img src='{DOT}' alt=' '>", "image without alt"),
        (f"<img src='{DOT}' alt='../_images/a1b2.png'>", "image without alt"),
        ("<img src='data:image/png;base64,AAAA' alt='broken'>", "image that does not load"),
    ],
)
def test_images(site, body, message):
    (problem,) = page_checks.image_problems(site(body)[0])
    assert problem.startswith(message)


def test_overflow(site):
    (problem,) = page_checks.overflow_problems(site("<div style='width: 500px'>wide</div>")[0])
    assert problem.startswith("scrolls sideways: 5")


@pytest.mark.parametrize(
    ("body", "script", "message"),
    [
        (WIDGET, "", "its slider changes no number"),
        (WIDGET, FOLLOWS_ONCE, "do not return with its slider"),
        (WIDGET.replace(" data-mounted", ""), FOLLOWS, "did not start"),
        (WIDGET.replace("range", "text"), FOLLOWS, "has no slider"),
    ],
)
def test_widgets(site, body, script, message):
    problems = page_checks.widget_problems(site(body, script)[0])
    assert [problem for problem in problems if message in problem]


@pytest.mark.parametrize(("rules", "rule"), [("CONTRAST", "color-contrast"), ("LAYOUT", "button-name")])
def test_accessibility(site, rules, rule):
    page = site("<button></button><p style='color: #ccc'>pale</p>")[0]
    (problem,) = page_checks.accessibility_problems(page, getattr(page_checks, rules))
    assert problem.startswith(f"axe {rule}:")


def test_each_colour_of_code_is_looked_at_once(site):
    words = "".join(f"<span style='color: {colour}'>word</span> " for colour in ["#222", "#ccc", "#ddd"] * 9)
    formulas = "<p style='color: #bbb'><span class='katex'><span>xy</span></span></p>" * 2
    page = site(f"<pre class='highlight'>{words}</pre>{formulas}")[0]
    problems = page_checks.accessibility_problems(page, page_checks.CONTRAST)
    assert len(problems) == 3, "two pale colours in code, one formula"
    assert page.locator("span").count() == 3 + 2


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("<script src='https://example.org/x.js'></script>", "external request: https://example.org/x.js"),
        ("<link rel='stylesheet' href='//example.org/x.css'>", "external request: http://example.org/x.css"),
        ("<script src='missing.js'></script>", "status 404"),
        ("<script>console.error('broken');</script>", "console error: broken"),
        ("<script>throw new Error('thrown');</script>", "script error: thrown"),
    ],
)
def test_recorder(site, script, message):
    problems = site("", script)[1].take()
    assert [problem for problem in problems if message in problem]
    assert site()[1].take() == []


def test_links(tmp_path):
    (tmp_path / "b.html").write_text("<p id='there'></p>", encoding="utf-8")
    links = ["b.html#there", "b.html#gone", "c.html", "#here", "#gone", "https://example.org/", "data:,"]
    body = "<p id='here'></p><i id='twice'></i><i id='twice'></i>" + "".join(f"<a href='{link}'></a>" for link in links)
    (tmp_path / "a.html").write_text(body, encoding="utf-8")
    assert list(page_checks.link_problems(tmp_path)) == [
        "a.html: id 'twice' stands twice",
        "a.html: 'b.html#gone' leads to no place on its page",
        "a.html: 'c.html' leads to no file",
        "a.html: '#gone' leads to no place on its page",
    ]


@pytest.mark.parametrize(("answer", "problems"), [("found 0", 1), ("<li><a href='#'>found</a></li>", 1)])
def test_search(browser, serve, tmp_path, answer, problems):
    page_text = WHOLE.format(body=f"<div id='search-results'>{answer}</div>", script="")
    (tmp_path / "search.html").write_text(page_text, encoding="utf-8")
    page = browser.new_page()
    assert len(page_checks.search_problems(page, serve(tmp_path), "word")) == problems
    page.close()
