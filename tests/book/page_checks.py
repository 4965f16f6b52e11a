"""What must hold of a page of the book. Each check returns the problems it finds, in words; none is an empty list."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

AXE = Axe()
# Only what is wrong comes back; and axe must not load style sheets itself, since it takes a relative import in one for
# relative to the page.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
# Contrast depends on the colours, all other rules on the layout.
CONTRAST = {"runOnly": ["color-contrast"]}
LAYOUT = {"rules": {"color-contrast": {"enabled": False}}}


class Recorder:
    """What a browser context asked for and said: every request that leaves, every failure, every error."""

    def __init__(self, context, origin):
        self.problems = []
        self.origin = origin
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))
        context.on("response", self._response)
        context.route(lambda url: not self._is_local(url), self._refuse)

    def _is_local(self, url):
        return url.startswith((self.origin, "data:", "blob:"))

    def _refuse(self, route):
        self.problems.append(f"external request: {route.request.url}")
        route.abort()

    def _console(self, message):
        # The console repeats a refused or failed request without its reason; that is recorded where it happens.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"console error: {message.text}")

    def _response(self, response):
        if response.status >= 400:
            self.problems.append(f"status {response.status}: {response.url}")

    def take(self):
        """Return the problems so far and forget them."""
        problems, self.problems = self.problems, []
        return problems


# Contrast takes nine tenths of axe's time, nearly all for the thousands of spans in code and formulas. Of those that
# are coloured alike on the same ground and as large, one stays; the others become plain text, or go.
THIN_OUT = """() => {
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  const seen = new Set();
  const repeats = [...document.querySelectorAll(".highlight span:not(:has(*)), .katex")].filter((element) => {
    const style = getComputedStyle(element);
    const key = [style.color, ground(element), style.fontSize, style.fontWeight, style.opacity].join();
    return seen.size === seen.add(key).size;
  });
  for (const element of repeats) element.replaceWith(element.matches(".katex") ? "" : element.textContent);
  for (const code of document.querySelectorAll(".highlight pre")) code.normalize();
}"""

FORMULAS = r"""() => {
  const problems = [];
  for (const wrong of document.querySelectorAll(".katex-error, merror"))
    problems.push(`wrong formula: ${wrong.textContent.slice(0, 80)}`);
  for (const place of document.querySelectorAll("span.math, div.math"))
    if (!place.querySelector(".katex")) problems.push(`unrendered formula: ${place.textContent.trim().slice(0, 80)}`);
  const skipped = "code, pre, script, style, textarea, .katex, .llmcourse-widget, .cell_output";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const raw = /\$[^$\n]+\$|\\\(|\\\[|\\begin\{|\\(frac|sum|log|text|mathrm|operatorname)\b/;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (raw.test(node.data) && !node.parentElement.closest(skipped))
      problems.push(`raw formula: ${node.data.trim().slice(0, 80)}`);
  }
  return problems;
}"""

IMAGES = r"""() => [...document.querySelectorAll("img")].flatMap((image) => {
  const name = (image.getAttribute("src") ?? "").slice(0, 80);
  const problems = [];
  // Sphinx puts the file's name where nobody wrote an alternative text.
  const isName = /\.(png|svg|jpe?g|gif)$/.test(image.alt);
  if (!image.hasAttribute("alt") || (image.closest("article") && (isName || !image.alt.trim())))
    problems.push(`image without alt: ${name}`);
  if (image.complete && image.naturalWidth === 0) problems.push(`image that does not load: ${name}`);
  return problems;
})"""

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width + 1) return [];
  const wide = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > width + 1);
  const names = wide.slice(0, 3).map((e) => e.tagName.toLowerCase() + "." + e.className);
  return [`scrolls sideways: ${document.documentElement.scrollWidth} px of content in ${width} px: ${names}`];
}"""

# Moves each slider to both ends and back; what the widget shows must follow, and return.
SLIDERS = """() => {
  const problems = [];
  for (const widget of document.querySelectorAll(".llmcourse-widget")) {
    const name = widget.dataset.widget;
    const sliders = [...widget.querySelectorAll("input[type=range]")];
    if (!("mounted" in widget.dataset)) problems.push(`widget ${name} did not start`);
    if (!sliders.length) problems.push(`widget ${name} has no slider`);
    const numbers = () => [...widget.querySelectorAll("dd, output, td")].map((e) => e.textContent).join("|");
    for (const slider of sliders) {
      const move = (value) => {
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        return numbers();
      };
      const start = slider.value;
      const [before, low, high] = [numbers(), move(slider.min), move(slider.max)];
      if (low === high || !/[0-9]/.test(low)) problems.push(`widget ${name}: its slider changes no number`);
      if (move(start) !== before) problems.push(`widget ${name}: its numbers do not return with its slider`);
    }
  }
  return problems;
}"""


def formula_problems(page):
    """Formulas that are wrong, not rendered, or still in TeX."""
    return page.evaluate(FORMULAS)


def image_problems(page):
    """Images without alternative text, or that do not load."""
    return page.evaluate(IMAGES)


def overflow_problems(page):
    """A page that must be scrolled sideways."""
    return page.evaluate(OVERFLOW)


def widget_problems(page):
    """Widgets that did not start, or whose sliders change no number."""
    return page.evaluate(SLIDERS)


def accessibility_problems(page, rules):
    """Violations that axe-core finds by ``rules``. ``CONTRAST`` comes last on a page, since it thins the page out."""
    if rules is CONTRAST:
        page.evaluate(THIN_OUT)
    violations = AXE.run(page, options=AXE_OPTIONS | rules).response["violations"]
    return [
        f"axe {violation['id']}: {node['html'][:110]} {node['any'][0]['message'][:120] if node['any'] else ''}"
        for violation in violations
        for node in violation["nodes"][:3]
    ]


def search_problems(page, origin, word):
    """A search for a word that stands in the book and brings no result, or one that finds what is nowhere."""
    problems = []
    for query, expected in ((word, True), ("qzxvwkjy", False)):
        page.goto(f"{origin}/search.html?q={query}")
        page.wait_for_function(
            "/found|did not match|matching/.test(document.querySelector('#search-results').innerText)"
        )
        found = page.locator("#search-results li a").count() > 0
        if found != expected:
            problems.append(f"a search for {query!r} finds {'something' if found else 'nothing'}")
    return problems


def link_problems(root: Path) -> Iterator[str]:
    """Links within the book that lead to no file or to no place in it, and ids that stand twice on a page."""
    paths = [path.resolve() for path in sorted(root.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in paths}
    names = {path: [tag["id"] for tag in soup.find_all(id=True)] for path, soup in pages.items()}
    for path, soup in pages.items():
        where = path.relative_to(root.resolve())
        yield from (f"{where}: id {name!r} stands twice" for name in set(names[path]) if names[path].count(name) > 1)
        for tag, attribute in ((tag, key) for tag in soup.find_all(True) for key in ("href", "src") if tag.get(key)):
            address, fragment = urldefrag(tag[attribute])
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or re.match(r"javascript:|data:|mailto:", tag[attribute]):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{where}: {tag[attribute]!r} leads to no file"
            elif fragment and target in names and unquote(fragment) not in names[target]:
                yield f"{where}: {tag[attribute]!r} leads to no place on its page"
