"""On a page that is built here, whose every part is known, and on pages that nbgrader ships."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from llmcourse.pretraining import Page, extract_text

pytest.importorskip("trafilatura")

PARAGRAPHS = [
    "The harbour of the old town was built in the ninth century, when traders first came up the river with salt.",
    "Its walls, which are made of a grey stone that is found nowhere else, have stood through three great floods.",
    "Today most of the houses around it are museums; in one of them the first map of the coast can be seen.",
]
AROUND = {
    "nav": "<nav><ul><li><a href='/'>Home page</a></li><li><a href='/shop'>Shop offers</a></li></ul></nav>",
    "cookies": "<div class='cookie-banner' role='dialog'>We use cookies. <button>Accept them</button></div>",
    "ad": "<aside class='advertisement'><a href='http://ads.example'>Cheap flights, book now</a></aside>",
    "script": "<script>var tracking = 'tracked visitor';</script><style>p { color: red }</style>",
    "comments": "<section id='comments'><h3>Comments</h3><p>First! Great post, visit my site.</p></section>",
    "footer": "<footer><p>Copyright 2024. All rights reserved. <a href='/terms'>Terms of use</a></p></footer>",
}


def page(*, paragraphs=PARAGRAPHS, charset="utf-8"):
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='{charset}'><title>The harbour</title>{AROUND['script']}"
        f"</head><body>{AROUND['cookies']}<header>{AROUND['nav']}</header><main><article><h1>The harbour</h1>{body}"
        f"</article>{AROUND['ad']}{AROUND['comments']}</main>{AROUND['footer']}</body></html>"
    )


def test_the_article_is_kept_and_what_is_around_it_is_not():
    text = extract_text(page())
    assert [line for line in text.split("\n") if line in PARAGRAPHS] == PARAGRAPHS
    for words in ("Shop offers", "cookies", "Cheap flights", "tracked", "color", "First!", "rights reserved"):
        assert words not in text, words


def test_a_text_is_the_same_whatever_was_extracted_before():
    first = extract_text(page())
    for _ in range(5):
        assert extract_text(page()) == first


@pytest.mark.parametrize(("charset", "said"), [("utf-8", "utf-8"), ("iso-8859-1", "iso-8859-1"), ("utf-8", "ascii")])
def test_bytes_are_read_in_the_encoding_of_the_header_or_of_the_page(charset, said):
    sentence = "In Zürich the café near the lake is open, and its door is as green as the trees on the other side."
    html = page(paragraphs=[*PARAGRAPHS, sentence], charset=charset)
    assert sentence in extract_text(Page("http://example.org", html.encode(charset), said))
    assert sentence in extract_text(html.encode(charset))
    assert sentence in extract_text(Page("http://example.org", html.encode(charset), "no-such-encoding"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("html", ["", "   ", "plain words", "<html></html>", b"\x00\xff\xfe", b"", "<p>", "<" * 1000])
def test_what_is_no_page_has_no_text_and_is_no_error(html):
    assert extract_text(html) in ("", "plain words")


def test_pages_of_a_pinned_package_lose_their_style_and_scripts():
    spec = importlib.util.find_spec("nbgrader")
    if spec is None or spec.origin is None:
        pytest.skip("nbgrader is not installed")
    folder = Path(spec.origin).parent / "docs/source/user_guide/feedback/bitdiddle/ps1"
    pages = sorted(folder.glob("*.html"))
    if not pages:
        pytest.skip("this nbgrader ships no pages")
    for path in pages:
        html = path.read_bytes()
        text = extract_text(html)
        assert 20 < len(text.split()) and len(text) < 0.1 * len(html)
        for code in ("font-family", "function(", "<div", "{color"):
            assert code not in text.replace(" ", ""), code


def test_without_trafilatura_it_says_what_to_install():
    code = "import sys; sys.modules['trafilatura'] = None; from llmcourse.pretraining import extract_text as e; e('x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert "pip install trafilatura" in done.stderr, done.stderr
