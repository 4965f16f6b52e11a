"""Each code cell of a chapter has an address, and the pages that point at cells point at real ones."""

import json
import re


def test_every_code_cell_has_its_id(html):
    chapters = sorted((html.parents[1] / "chapters").glob("*.ipynb"))
    assert len(chapters) >= 5
    for path in chapters:
        ids = [cell["id"] for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        page = (html / "chapters" / f"{path.stem}.html").read_text()
        assert not [one for one in ids if f'id="cell-{one}"' not in page]


def test_each_correction_leads_to_the_cell_that_proves_it(html):
    page = (html / "book" / "corrections.html").read_text()
    targets = re.findall(r'href="\.\./chapters/(\w+)\.html#(cell-[\w-]+)"', page)
    rows = page.count("<tr") - page.count("<thead")
    assert len(targets) >= rows >= 20
    for chapter, anchor in targets:
        assert f'id="{anchor}"' in (html / "chapters" / f"{chapter}.html").read_text()
