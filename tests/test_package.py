"""The package as a user gets it: a bare install, an import of everything that design allows with little else."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ABSENT = [
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "typer",
    "rich",
    "nbgrader",
    "babel",
    "tokenizers",
    "tiktoken",
    "transformers",
    "scipy",
    "datasets",
]

# A finder in front of all others that knows nothing of the optional packages, as on a machine that lacks them.
BARE = f"""
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import importlib, pkgutil, llmcourse
skipped = {{"grading", "widgets", "plotting", "cli"}}
for package in pkgutil.iter_modules(llmcourse.__path__, "llmcourse."):
    if package.name.split(".")[1] not in skipped:
        importlib.import_module(package.name)
        print(package.name)
"""


def python(*arguments: str, executable: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=540)


def test_importing_the_package_imports_no_other() -> None:
    done = python("-c", "import sys, llmcourse; print(sorted({'torch', 'numpy', 'typer'} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


def test_reference_packages_import_with_the_bare_dependencies_alone() -> None:
    done = python("-c", BARE)
    assert done.returncode == 0, done.stderr
    assert "llmcourse.tokenization" in done.stdout


def test_the_bare_import_check_can_fail() -> None:
    done = python("-c", BARE + "\nimport llmcourse.plotting.style, matplotlib")
    assert done.returncode != 0
    assert "No module named 'matplotlib'" in done.stderr


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def test_pip_install_into_an_empty_environment(empty_environment: Path, tmp_path: Path) -> None:
    wheel = python("-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(tmp_path), ".")
    assert wheel.returncode == 0, wheel.stderr
    (built,) = tmp_path.glob("llmcourse-*.whl")
    install = python(
        "-m", "pip", "install", "-q", "-c", "constraints.txt", str(built), executable=str(empty_environment)
    )
    assert install.returncode == 0, install.stderr
    code = "import llmcourse.tokenization as t; print(t.__file__, t.train_bpe('low lower', 258).vocab_size)"
    done = subprocess.run(
        [str(empty_environment), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout
    assert done.stdout.split()[1] == "258"
