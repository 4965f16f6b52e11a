"""The book's pages of exercises hold what a student gets, and no file of the book holds more."""

import html as entities
import json
import re

import exercise_pages
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SOURCES = sorted(exercise_pages.SOURCES.glob("*/*.ipynb"))


def squeeze(text):
    """Return text without spaces and quotes, which HTML, JSON and highlighting write in their own ways."""
    return re.sub(r"[\s\"'`\\]+", "", text.replace("\\n", "\n"))


def text_of(path):
    """Return what a file of the built book says."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".ipynb":
        return squeeze("\n".join(str(cell["source"]) for cell in nbformat.reads(text, as_version=4).cells))
    if path.suffix in (".html", ".js"):
        # Scripts hold HTML as text of JSON, so tags and escapes are removed there as well.
        text = entities.unescape(re.sub(r"<[^<>]*>", "", text.replace("\\n", "\n")))
    return squeeze(text)


def secrets(path):
    """Return the lines of a source that a student must not see, as the notebook has them."""
    lines = []
    secret = re.compile(r"BEGIN (SOLUTION|HIDDEN TESTS)(.*?)END \1", re.DOTALL)
    for cell in nbformat.read(path, as_version=4).cells:
        for _, block in secret.findall(cell.source):
            lines += block.strip().strip("#").splitlines()
    return [line.strip() for line in lines if len(squeeze(line)) >= 12]


def test_there_are_sources():
    assert SOURCES


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parent.name + "/" + path.stem)
def test_nothing_that_is_graded_is_in_the_book(html, source):
    # What any exercise shows is public: a line such as "looks_like = {" is hidden in one and shown in another.
    pages = [exercise_pages.PAGES / path.relative_to(exercise_pages.SOURCES) for path in SOURCES]
    cells = [cell for page in pages for cell in nbformat.read(page, as_version=4).cells]
    shown = squeeze("\n".join(cell.source for cell in cells))
    # A chapter may show the package's own code, which solves the same task: that is public, and no leak of this page.
    chapters = [squeeze(path.read_text(encoding="utf-8")) for path in exercise_pages.ROOT.glob("chapters/*.ipynb")]
    hidden = [line for line in secrets(source) if squeeze(line) not in shown + "".join(chapters)]
    assert len(hidden) > 20
    files = [
        path for path in html.rglob("*") if path.suffix in (".html", ".js", ".ipynb", ".md", ".json", ".txt", ".inv")
    ]
    texts = {path: text_of(path) for path in files if "vendor" not in path.parts and "scripts" not in path.parts}
    assert any(squeeze("raise NotImplementedError") in text for text in texts.values())
    leaks = [(path.name, line) for path, text in texts.items() for line in hidden if squeeze(line) in text]
    assert leaks == []


def test_the_search_for_leaks_finds_them(tmp_path):
    line = 'assert f(x) == {"a": 1}, "no & wrong"'
    files = {
        "a.html": f"<pre>{entities.escape(line).replace('(', '<span>(</span>')}</pre>",
        "b.ipynb": nbformat.writes(new_notebook(cells=[new_code_cell(line)])),
        "c.js": json.dumps({"tip": f"<p>{entities.escape(line)}</p>"}),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert squeeze(line) in text_of(tmp_path / name)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parent.name + "/" + path.stem)
def test_page_is_cut_as_nbgrader_cuts(source):
    preprocessors = pytest.importorskip("nbgrader.preprocessors", reason="nbgrader comes with the extra 'grade'")
    notebook = nbformat.read(source, as_version=4)
    expected = nbformat.read(source, as_version=4)
    for preprocessor in (preprocessors.ClearSolutions(), preprocessors.ClearHiddenTests()):
        expected, _ = preprocessor.preprocess(expected, {})
    page = exercise_pages.released(notebook, source.name)
    assert [squeeze(cell.source) for cell in page.cells] == [
        squeeze(cell.source) for cell in expected.cells if cell.source.strip()
    ]
    assert not any("nbgrader" in cell.metadata or cell.get("outputs") for cell in page.cells)


def test_solution_without_marks_is_cut_whole():
    solution = {"grade": False, "solution": True, "locked": False, "grade_id": "a", "schema_version": 3}
    cells = [new_code_cell("answer = 42", metadata={"nbgrader": solution}), new_markdown_cell("the answer")]
    cells[1].metadata = {"nbgrader": solution | {"grade_id": "b", "grade": True, "points": 1}}
    page = exercise_pages.released(new_notebook(cells=cells), "x.ipynb")
    assert [cell.source for cell in page.cells] == [exercise_pages.STUB, exercise_pages.ANSWER]


@pytest.mark.parametrize(
    ("source", "grading"),
    [
        ("### BEGIN SOLUTION\nx = 1", {"solution": True}),
        ("### BEGIN HIDDEN TESTS\nassert x", {"grade": True}),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", {}),
        ("### BEGIN HIDDEN TESTS\nassert x\n### END HIDDEN TESTS", {"solution": True}),
    ],
)
def test_mark_that_stays_behind_is_refused(source, grading):
    notebook = new_notebook(cells=[new_code_cell(source, metadata={"nbgrader": grading})])
    with pytest.raises(ValueError, match=r"x\.ipynb: a cell holds 'BEGIN"):
        exercise_pages.released(notebook, "x.ipynb")


def test_pages_are_written_once_and_removed_with_their_source(tmp_path):
    sources, pages = tmp_path / "solutions", tmp_path / "pages"
    (sources / "01_a").mkdir(parents=True)
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A task")]), sources / "01_a" / "one.ipynb")
    (page,) = exercise_pages.write_pages(sources, pages)
    first = page.stat().st_mtime_ns
    assert exercise_pages.write_pages(sources, pages) == [page]
    assert page.stat().st_mtime_ns == first
    (sources / "01_a" / "one.ipynb").unlink()
    assert exercise_pages.write_pages(sources, pages) == []
    assert not page.exists()
