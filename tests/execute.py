"""Run every notebook again from top to bottom and store its outputs; ``make execute`` calls this."""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
VOLATILE = ("execution", "signature")


def execute(path: Path) -> float:
    """Run one notebook in place, and return its seconds.

    Timestamps and the kernel's version of the day are left out, so that a run that gives the same outputs leaves the
    file as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    began = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": path.parent}},
    ).execute()
    taken_s = time.perf_counter() - began
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return taken_s


def main() -> int:
    """Run the notebooks that are named, or all."""
    paths = [Path(name) for name in sys.argv[1:]]
    for path in paths or sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("solutions/*/*.ipynb")]):
        print(f"{path}: ", end="", flush=True)
        print(f"{execute(path):.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
