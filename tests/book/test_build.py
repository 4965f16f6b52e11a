"""The book's Sphinx extensions: a wrong formula fails the build, and what is brought is brought once and whole."""

import shutil
import subprocess
import sys

import pytest
import vendor
from accessible_pages import mend

CONF = """
import sys
sys.path.append({ext!r})
extensions = ["myst_parser", "prerendered_math"]
myst_enable_extensions = ["dollarmath"]
katex_prerender = True
html_math_renderer = "katex"
katex_css_path = "none.css"
"""


def build(folder, text):
    """Build a book of one page with warnings as errors."""
    (folder / "conf.py").write_text(CONF.format(ext=str(vendor.HERE)), encoding="utf-8")
    (folder / "index.md").write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        str(folder),
        str(folder / "out"),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_formulas_are_rendered_when_the_book_is_built(tmp_path):
    done = build(tmp_path, "# A\n\nInline $x^2$ and\n\n$$\n\\frac{a}{b}\n$$\n")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count('<span class="katex">') == 2
    assert "<math" in page
    assert "<script>MathJax" not in page


@pytest.mark.parametrize("formula", ["$\\wrong$", "$$\n\\frac{a}\n$$", "$x_{a$"])
def test_a_wrong_formula_fails_the_build_and_is_named(tmp_path, formula):
    done = build(tmp_path, f"# A\n\n{formula}\n")
    assert done.returncode != 0
    assert "index.md" in done.stderr
    assert "wrong formula" in done.stderr


def test_what_was_brought_is_complete_and_is_not_brought_again(monkeypatch):
    assert vendor.is_complete(vendor.TARGET), "run: make book"
    monkeypatch.setattr(vendor, "fetch", lambda packages: pytest.fail("asked the registry again"))
    assert vendor.bring() is False


@pytest.mark.parametrize("lost", [".complete", "katex/katex.min.css"])
def test_what_was_interrupted_is_brought_again(tmp_path, monkeypatch, lost):
    target = tmp_path / "vendor"
    shutil.copytree(vendor.TARGET, target)
    (target / lost).unlink()

    def fail(packages):
        raise SystemExit("no network")

    monkeypatch.setattr(vendor, "fetch", fail)
    with pytest.raises(SystemExit, match="no network"):
        vendor.bring(target, tmp_path / "workshop")
    assert list((tmp_path / "workshop").iterdir()) == []
    assert (target / "tippy").is_dir()


def test_another_version_is_brought(tmp_path, monkeypatch):
    target = tmp_path / "vendor"
    shutil.copytree(vendor.TARGET, target)
    assert vendor.is_complete(target)
    monkeypatch.setattr(vendor, "fingerprint", lambda: "another")
    assert not vendor.is_complete(target)


def test_bodies_are_mended_only_where_they_are_wrong():
    assert mend("<th></th><th>n</th><th> </th>") == "<td></td><th>n</th><td></td>"
    assert mend('<div role="doc-biblioentry">x</div>') == '<div role="listitem">x</div>'
    assert mend("<td></td><p></p>") == "<td></td><p></p>"
