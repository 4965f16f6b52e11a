"""Every page of the built book in a browser whose every request to another machine is refused and recorded."""

import pytest

page_checks = pytest.importorskip("page_checks", reason="the checks of pages need the extra 'test'")

pytestmark = pytest.mark.browser
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# What depends on the layout in both widths, contrast in both colours; contrast last, since it thins the page out.
RULES = {
    ("light", 390): [page_checks.LAYOUT],
    ("light", 1440): [page_checks.LAYOUT, page_checks.CONTRAST],
    ("dark", 390): [],
    ("dark", 1440): [page_checks.CONTRAST],
}


def pages_of(html):
    """Return the paths of all pages but the redirect at the root."""
    paths = [path.relative_to(html).as_posix() for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    return [path for path in paths if path != "index.html"]


def open_context(browser, origin, scheme):
    """Return a page in a context of its own, and what records its doings."""
    context = browser.new_context(color_scheme=scheme, viewport=WIDE, reduced_motion="reduce", service_workers="block")
    recorder = page_checks.Recorder(context, origin)
    return context.new_page(), recorder


@pytest.fixture(scope="module")
def origin(html, serve):
    return serve(html)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_whole_in_both_widths(browser, html, origin, scheme):
    page, recorder = open_context(browser, origin, scheme)
    found = {}
    for path in pages_of(html):
        page.set_viewport_size(WIDE)
        page.goto(f"{origin}/{path}", wait_until="load")
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        problems = page_checks.formula_problems(page) + page_checks.image_problems(page)
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            problems += page_checks.overflow_problems(page) + page_checks.widget_problems(page)
            for rules in RULES[scheme, size["width"]]:
                problems += page_checks.accessibility_problems(page, rules)
        found[path] = list(dict.fromkeys(problems + recorder.take()))
    page.context.close()
    assert not any(found.values()), report(found)


def test_pages_work_from_a_file(browser, html):
    page, recorder = open_context(browser, "file://", "light")
    found = {}
    for path in pages_of(html):
        page.goto((html / path).as_uri(), wait_until="load")
        problems = page_checks.formula_problems(page) + page_checks.image_problems(page)
        found[path] = problems + page_checks.widget_problems(page) + recorder.take()
    page.goto((html / "index.html").as_uri())
    page.wait_for_url("**/intro.html")
    found["search"] = page_checks.search_problems(page, html.as_uri(), "vocabulary") + recorder.take()
    page.context.close()
    assert not any(found.values()), report(found)


def test_root_leads_to_the_landing_page(browser, origin):
    page, recorder = open_context(browser, origin, "light")
    page.goto(f"{origin}/")
    page.wait_for_url("**/book/intro.html")
    assert page.locator("h1").first.inner_text().startswith("Large Language Models, Worked Out")
    assert recorder.take() == []
    page.context.close()


def test_search_finds_what_is_there_and_nothing_else(browser, origin):
    page, recorder = open_context(browser, origin, "light")
    assert page_checks.search_problems(page, origin, "vocabulary") == []
    page.goto(f"{origin}/book/intro.html")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("glossary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=glossary*")
    page.locator("#search-results li a").first.wait_for()
    assert recorder.take() == []
    page.context.close()


def test_terms_show_a_preview(browser, origin):
    page, recorder = open_context(browser, origin, "light")
    page.goto(f"{origin}/book/glossary.html")
    page.locator('dd a[href="#term-embedding"]').first.hover()
    page.locator(".tippy-box").wait_for()
    assert "matrix" in page.locator(".tippy-box").inner_text()
    assert recorder.take() == []
    page.context.close()


def test_links_lead_somewhere(html):
    assert list(page_checks.link_problems(html)) == []


def report(found):
    """Return the problems, page by page."""
    return "\n".join(f"{path}\n    " + "\n    ".join(problems) for path, problems in found.items() if problems)
