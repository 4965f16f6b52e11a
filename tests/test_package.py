"""The package as a user gets it: a bare install, an import of everything that design allows with little else."""

import os
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
    "sklearn",
    "trafilatura",
    "warcio",
    "dask",
    "distributed",
    "fastapi",
    "uvicorn",
    "starlette",
    "openai",
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
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    wheel = python("-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder), ".")
    assert wheel.returncode == 0, wheel.stderr
    (found,) = folder.glob("llmcourse-*.whl")
    return found


CODE = "import llmcourse.tokenization as t; print(t.__file__, t.train_bpe('low lower', 258).vocab_size)"


def test_the_wheel_holds_all_that_the_package_reads(built: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install = python("-m", "pip", "install", "-q", "--no-deps", "--target", str(target), str(built))
    assert install.returncode == 0, install.stderr
    ours = {path.relative_to(ROOT) for path in (ROOT / "llmcourse").rglob("*") if "__pycache__" not in path.parts}
    wanted = {path for path in ours if (ROOT / path).is_file() and path.suffix != ".pyc"}
    assert {path for path in wanted if not (target / path).is_file()} == set()
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split() == [str(target / "llmcourse" / "tokenization" / "__init__.py"), "258"], done.stderr


@pytest.mark.soak
def test_pip_install_into_an_empty_environment(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    executable = str(tmp_path / "venv" / "bin" / "python")
    install = python("-m", "pip", "install", "-q", "-c", "constraints.txt", str(built), executable=executable)
    assert install.returncode == 0, install.stderr
    done = subprocess.run(
        [executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout
    assert done.stdout.split()[1] == "258"
