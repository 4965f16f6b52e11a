"""The numbers on the page of questions are those that the cells print to which it points."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def output_of(chapter: str, cell_id: str) -> str:
    cells = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text())["cells"]
    (cell,) = (cell for cell in cells if cell["id"] == cell_id)
    return "".join("".join(output.get("text", [])) for output in cell["outputs"])


def test_memory_by_model_is_what_the_cell_printed() -> None:
    page = (ROOT / "book" / "faq.md").read_text()
    printed = {line[:14].strip(): re.findall(r"([\d.]+) GiB", line) for line in
               output_of("06_inference_optimization", "faq-local-numbers").splitlines()}  # fmt: skip
    rows = re.findall(r"^\| (Llama [^|]+?) \| ([\d.]+) GiB \| ([\d.]+) GiB \| ([\d.]+) GiB", page, re.MULTILINE)
    assert len(rows) == 3
    for name, *numbers in rows:
        assert numbers == printed[name]


def test_weights_and_cards_are_what_the_cells_printed() -> None:
    page = (ROOT / "book" / "faq.md").read_text()
    weights = output_of("06_inference_optimization", "vram")
    assert "140.0 GB of weights" in weights and "35.0 GB of weights" in weights
    assert "140 GB and 35.0 GB" in page
    cards = output_of("06_inference_optimization", "faq-gpu-numbers")
    assert "1 GPUs:  172.4 GiB on each; does not fit" in cards and "172 GiB" in page
    assert "2 GPUs:" in cards and re.search(r"2 GPUs:.*does not fit", cards) and re.search(r"4 GPUs:.*; fits", cards)
